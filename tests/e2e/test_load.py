"""`make load`, for as long as a test may take: all of it works, and what it is there to find makes it fail."""

import json
from pathlib import Path

import pytest
from load.outcome import Outcome
from load.session import load
from local.environments import prepare


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    prepare()
    folder = tmp_path_factory.mktemp("load")
    return load(folder=folder, seconds=15, rate=3, at_once=1, share=0.1, seed=7)


def test_nothing_is_lost_and_nothing_is_answered_wrongly_while_a_tenth_of_all_calls_fails(
    outcome: Outcome,
) -> None:
    assert outcome.broken == []
    assert outcome.results["invariants"] == "hold"


def test_the_functions_go_through_what_fails(outcome: Outcome) -> None:
    assert outcome.results["aws_calls"] > 100
    assert outcome.results["faults_injected"] > 10
    assert outcome.results["requests"] > 20


def test_the_figures_can_be_written_down(outcome: Outcome, tmp_path: Path) -> None:
    (tmp_path / "load.json").write_text(json.dumps([outcome.results, outcome.over_time]))

    assert outcome.results["p50_ms"] <= outcome.results["p95_ms"] <= outcome.results["p99_ms"]
    assert outcome.over_time["memory"]
    assert outcome.results["memory_mb"]["processes"] > 3
