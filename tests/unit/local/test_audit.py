"""What the audit makes of what pip-audit says, the silence included."""

import json
from typing import Any

import pytest
from local.audit import Report, npm_report_of, report_of


def _printed(*dependencies: dict[str, Any]) -> str:
    return json.dumps({"dependencies": dependencies, "fixes": []})


def test_a_distribution_without_vulnerabilities_is_sound() -> None:
    printed = _printed({"name": "yaml", "version": "6.0", "vulns": []})

    assert report_of(printed, "") == Report(("yaml 6.0",), (), ())


def test_a_known_vulnerability_is_named_with_what_mends_it() -> None:
    vulnerability = {"id": "PYSEC-1", "fix_versions": ["6.1"]}
    unmended = {"id": "PYSEC-2", "fix_versions": []}
    printed = _printed({"name": "yaml", "version": "6.0", "vulns": [vulnerability, unmended]})

    assert report_of(printed, "").vulnerable == (
        "yaml 6.0: PYSEC-1 (mended in 6.1), PYSEC-2 (mended in nothing yet)",
    )


def test_what_could_not_be_looked_up_is_not_sound() -> None:
    printed = _printed({"name": "yaml", "skip_reason": "not found"})

    assert report_of(printed, "No known vulnerabilities found") == Report((), (), ("yaml: not found",))


@pytest.mark.parametrize("printed", ["", "{}", "<html>502</html>"])
def test_no_answer_is_not_sound(printed: str) -> None:
    assert report_of(printed, "ERROR: could not connect\n") == Report(
        (), (), ("all: ERROR: could not connect",)
    )


def test_of_npm_a_vulnerability_is_named_with_where_to_read_of_it() -> None:
    advisory = {"title": "XSS", "url": "https://github.com/advisories/GHSA-1"}
    printed = json.dumps(
        {"vulnerabilities": {"marked": {"via": [advisory]}, "docs": {"via": ["marked"]}}, "metadata": {}}
    )
    locked = {"marked": "18.2.1", "docs": "1.0.0", "preact": "10.29.8"}

    assert npm_report_of(printed, "", locked) == Report(
        ("preact 10.29.8",),
        ("marked 18.2.1: https://github.com/advisories/GHSA-1", "docs 1.0.0: by marked"),
        (),
    )


@pytest.mark.parametrize("printed", ["", '{"message": "405", "error": {}}'])
def test_no_answer_of_npm_is_not_sound(printed: str) -> None:
    assert npm_report_of(printed, "npm error", {"a": "1"}) == Report((), (), ("all: npm error",))
