"""Whatever comes in from outside is taken, or refused as documented: for inputs that were kept, and for new ones."""

import time
from pathlib import Path
from typing import Final

import pytest
from fuzz.exploring import CORPUS, TARGETS, Finding, explore, kept_inputs, load
from tests.reliability import budget, tally

# About two seconds of a core each.
_RUNS: Final = {
    "archive": 6_000,
    "archive_members": 4_500,
    "bundle": 3_000,
    "challenge": 60_000,
    "ci_token": 7_500,
    "dependencies": 5_000,
    "file_index": 30_000,
    "third_party_document": 45_000,
    "form": 20_000,
    "frontmatter": 4_000,
    "layer": 5_000,
    "manifest": 15_000,
    "reference": 12_500,
    "request": 30_000,
    "scan": 750,
    "signature": 3_000,
    "token": 12_500,
    "zip": 4_000,
}
_SOAK: Final = 400
_SECONDS: Final = 2.0
_CORPUS_BYTES: Final = 512 << 10


@pytest.mark.parametrize("target", TARGETS)
def test_what_was_kept_is_taken_or_refused_as_documented_and_at_once(target: str) -> None:
    module = load(target)
    inputs = [*module.seeds(), *(path.read_bytes() for path in kept_inputs(target))]

    for data in inputs:
        start = time.process_time()
        module.check(data)
        assert time.process_time() - start < _SECONDS
    tally.count("kept inputs replayed", len(inputs))


@pytest.mark.parametrize("target", TARGETS)
def test_exploring_breaks_nothing(target: str, tmp_path: Path) -> None:
    runs = budget.of(ci=_RUNS[target], soak=_SOAK * _RUNS[target])

    try:
        explore(target, runs=runs, seed=budget.of(ci=1, soak=0), folder=tmp_path)
    except Finding as finding:
        pytest.fail(str(finding)[-8_000:], pytrace=False)
    tally.count("fuzzed inputs", runs)


@pytest.mark.parametrize("module", ["raises", "returns_something_else", "never_returns", "takes_much_memory"])
def test_the_fuzzer_finds_what_is_wrong(module: str, tmp_path: Path) -> None:
    with pytest.raises(Finding):
        explore(f"tests.reliability.broken_targets.{module}", runs=100_000, seed=1, folder=tmp_path)


def test_what_is_kept_is_small_and_of_a_target() -> None:
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < _CORPUS_BYTES
    assert {path.name for path in CORPUS.iterdir()} <= set(TARGETS)
