"""What a `SKILL.md` says of a pack, and what is warned of or refused. The cases are in `tests.corpus.skills`."""

import json
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.corpus import skills
from tests.corpus.skills import HEAD

from packyard.errors import InvalidRequest
from packyard.packs.manifest.pack_manifest import Manifest
from packyard.packs.skill.frontmatter import MAX_WARNINGS, read_frontmatter
from packyard.packs.skill.skill_manifest import parse_skill

LIMIT = 256 << 10


def parsed(content: bytes, *, folder: str | None = "pdf-tools") -> Manifest:
    return parse_skill(content, max_bytes=LIMIT, folder=folder)


def refused(content: bytes, *, limit: int = LIMIT) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        parse_skill(content, max_bytes=limit)
    return caught.value.fields


def test_a_skill_says_what_a_pack_is() -> None:
    manifest = parsed(skills.ACCEPT["as the specification shows it"])

    assert manifest == Manifest(
        name=manifest.name,
        version=manifest.version,
        display_name="pdf-tools",
        description="Work with PDF files.",
        file="SKILL.md",
        license="Apache-2.0",
    )
    assert (manifest.name, manifest.version, manifest.version_is_stated) == ("pdf-tools", "1.0.0", True)


@pytest.mark.parametrize("content", skills.ACCEPT.values(), ids=skills.ACCEPT.keys())
def test_what_keeps_to_the_specification_has_no_warning(content: bytes) -> None:
    assert parsed(content).warnings == ()


@pytest.mark.parametrize(("content", "field", "_"), skills.BROKEN.values(), ids=skills.BROKEN.keys())
def test_what_breaks_the_specification_is_taken_with_a_warning(content: bytes, field: str, _: bool) -> None:
    manifest = parsed(content)

    assert any(warning.startswith(f"{field} ") for warning in manifest.warnings), manifest.warnings


@pytest.mark.parametrize(("content", "field", "_"), skills.REJECT.values(), ids=skills.REJECT.keys())
def test_what_no_door_could_serve_is_refused_by_its_field(content: bytes, field: str, _: bool) -> None:
    assert refused(content).keys() == {field}


def test_whatever_the_validator_of_the_specification_refuses_has_a_warning_or_a_refusal() -> None:
    """The verdicts are recorded: see `tests.corpus.skills`."""
    valid = {name for name, (_, _, valid) in (skills.BROKEN | skills.REJECT).items() if valid}

    assert valid == {
        # The specification says that each is text.
        "a license that is a number",
        "a number in the metadata",
        "a list in the metadata",
        "tools as a list",
        # YAML 1.1 has a date there, and YAML 1.2 text.
        "a date in the metadata",
        # Other readers end the frontmatter elsewhere.
        "three hyphens in the description",
        "a line that begins with more hyphens",
        "text behind the closing hyphens",
        # Nobody could see it.
        "a description that cannot be shown",
        # YAML 1.1 has another line there.
        "a line separator",
    }


@pytest.mark.parametrize(
    ("metadata", "version", "warning"),
    [
        (b"  version: 1.2.3\n", "1.2.3", None),
        (b'  version: "1.2.3-rc.1"\n', "1.2.3-rc.1", None),
        (b"  author: acme\n", None, None),
        (b'  version: "1.2"\n', None, "is not used: it must be three numbers joined by dots: write 1.2.0"),
        (b"  version: 1.2\n", None, "must be text; put it in quotes"),
        (b"  version: 2024-01-01\n", None, "is not the same to every reader of YAML"),
    ],
)
def test_a_version_that_is_none_is_not_used(
    metadata: bytes, version: str | None, warning: str | None
) -> None:
    manifest = parsed(HEAD + b"metadata:\n" + metadata + b"---\n")

    assert (manifest.version if manifest.version_is_stated else None) == version
    assert [one.partition(" ")[2][: len(warning or "")] for one in manifest.warnings] == (
        [warning] if warning else []
    )


def test_a_value_that_readers_of_yaml_read_differently_is_named_and_kept_as_it_is_written() -> None:
    read = read_frontmatter(
        HEAD + b"metadata:\n  since: 2024-01-01\n  deep:\n    name: on\n    number: 5\n---\n", max_bytes=LIMIT
    )

    assert read.values["metadata"] == {"since": "2024-01-01", "deep": {"name": "on", "number": 5}}
    assert read.uncertain == ("metadata.since", "metadata.deep.name")


def test_a_pack_has_of_a_long_description_what_fits() -> None:
    manifest = parsed(b"---\nname: pdf-tools\ndescription: " + b"x" * 3000 + b"\n---\n")

    assert manifest.description == "x" * 2000
    assert len(manifest.warnings) == 1


def test_the_display_name_is_the_name_as_it_is_given() -> None:
    manifest = parsed(b'---\nname: "PDF\\tTools"\ndescription: x\n---\n')

    assert (manifest.name, manifest.display_name) == ("pdf-tools", "PDF Tools")


def test_a_folder_without_a_name_is_not_compared() -> None:
    assert parsed(HEAD + b"---\n", folder=None).warnings == ()


def test_a_frontmatter_is_limited_and_what_follows_it_is_not() -> None:
    assert parse_skill(HEAD + b"---\n" + b"x" * 1000, max_bytes=len(HEAD) + 4).name == "pdf-tools"
    assert "within 50 bytes" in refused(HEAD + b"---\n", limit=50)["SKILL.md"]


def test_the_line_of_a_fault_is_that_of_the_file() -> None:
    assert refused(HEAD + b"license: a: b\n---\n")["SKILL.md"].startswith("line 4, column ")


def test_warnings_are_limited() -> None:
    keys = b"".join(b"key%d: x\n" % number for number in range(200))

    warnings = parsed(HEAD + keys + b"---\n").warnings

    assert len(warnings) == MAX_WARNINGS
    assert warnings[-1] == "SKILL.md has more faults than are listed here"


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(before: bytes, after: bytes) -> None:
    for content in (before + after, b"---\n" + before + b"\n---\n" + after, HEAD + before + b"\n---\n"):
        try:
            manifest = parse_skill(content, max_bytes=LIMIT)
        except InvalidRequest as refusal:
            fields = refusal.fields
        else:
            fields = dict.fromkeys(manifest.warnings, "")
        assert all(field.startswith("SKILL.md") for field in fields)
        json.dumps(fields).encode()


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers() | st.booleans(), max_size=4))
def test_values_are_those_of_any_reader_of_yaml(values: dict[str, object]) -> None:
    wanted = {"name": "pdf-tools", "description": "x", "metadata": values}
    text = yaml.safe_dump(wanted, allow_unicode=False)
    try:
        read = read_frontmatter(b"---\n" + text.encode() + b"---\n", max_bytes=LIMIT)
    except InvalidRequest:
        # A key or a number that some readers of YAML read otherwise.
        return
    if not read.uncertain:
        assert read.values == wanted


def test_a_frontmatter_that_never_ends_takes_little_time() -> None:
    began = time.process_time()

    refused(HEAD + b"a" * LIMIT)

    assert time.process_time() - began < 1
