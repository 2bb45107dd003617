"""The rules as data: each finds its examples, leaves the harmless ones alone, and says why."""

import re
from dataclasses import replace
from importlib.metadata import version

import pytest
import yara_x
from tests.scanning.rules_digest import digest_of_rules
from tests.scanning.templates import filled

from packyard.scanning.budget import ScannedFile
from packyard.scanning.catalogue import Rule, load_rules
from packyard.scanning.engine import Engine, source_of
from packyard.scanning.rules_version import ENGINE_VERSION, RULES_DIGEST
from packyard.scanning.scanner import Scanner

RULES = load_rules()
EXAMPLES = [(rule, text) for rule in RULES.values() for text in rule.examples]
HARMLESS = [(rule, text) for rule in RULES.values() for text in rule.harmless]


def named(case: tuple[Rule, str]) -> str:
    return f"{case[0].id}: {case[1][:30]!r}"


def found_in(rule: Rule, text: str, scanner: Scanner, engine: Engine) -> bool:
    content = filled(text).encode()
    if rule.fact:
        return any(match.rule == rule.id for match in engine.find(content, seconds=10).matches)
    report = scanner.scan([ScannedFile(rule.example_path, content)])
    return any(finding.rule == rule.id for finding in report.findings)


@pytest.mark.parametrize("case", EXAMPLES, ids=named)
def test_a_rule_finds_its_examples(case: tuple[Rule, str], scanner: Scanner, engine: Engine) -> None:
    assert found_in(*case, scanner, engine)


@pytest.mark.parametrize("case", HARMLESS, ids=named)
def test_a_rule_finds_nothing_in_what_is_harmless(
    case: tuple[Rule, str], scanner: Scanner, engine: Engine
) -> None:
    assert not found_in(*case, scanner, engine)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_says_why_and_what_to_do(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z-]+", rule.id)
    assert rule.why.endswith(".")
    assert rule.advice.endswith(".")
    if not rule.needs and rule.id not in ("encoded.payload", "guide.runs-fetching-script"):
        assert rule.examples
    if rule.patterns and not rule.fact:
        assert rule.harmless


def test_rules_that_combine_facts_name_facts_that_exist() -> None:
    facts = {rule.id for rule in RULES.values() if rule.fact}

    assert all(rule.needs <= facts for rule in RULES.values())


def test_the_engine_compiles_all_rules_and_calls_none_slow() -> None:
    compiler = yara_x.Compiler(error_on_slow_pattern=True)
    compiler.add_source(source_of(RULES))

    assert not compiler.warnings()


def test_a_long_jump_is_not_cut_behind_what_can_be_longer() -> None:
    jumping = replace(RULES["script.miner"], patterns=(r"/open\([^\n]{1,200}\)[\s\S]{0,300}run\(/",))

    assert Engine([jumping]).find(b"open(a); run(b)", seconds=10).matches


def test_the_version_is_raised_when_the_rules_change() -> None:
    """If this fails, raise `_RULES_VERSION` if a scan may find something else now, and state the new digest."""
    assert digest_of_rules() == RULES_DIGEST


def test_compiled_rules_are_for_the_engine_that_is_locked() -> None:
    assert version("yara-x") == ENGINE_VERSION
