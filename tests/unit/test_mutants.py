"""Every mutant still applies to the source: `python -m tests.mutants` would run it."""

import ast
from pathlib import Path

import pytest
from tests.mutants import MUTANTS, Mutant

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_it_replaces_a_text_that_is_there_once_by_code_that_can_be_read(mutant: Mutant) -> None:
    ast.parse(mutant.applied_to(PROJECT))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_tests_that_find_it_are_there(mutant: Mutant) -> None:
    assert mutant.tests
    for path in mutant.tests:
        assert (PROJECT / path.partition("::")[0]).exists()
