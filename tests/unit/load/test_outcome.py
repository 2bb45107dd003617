"""A load fails when anything does not hold, and says what."""

from random import Random

import pytest
from load.faults import Faults
from load.journal import Entry, Journal, fault_of
from load.memory import Memory, Process
from load.outcome import Outcome, outcome
from tests.e2e.client import Reply
from tests.engine.refusals import Fault

MB = 1_000_000


def outcome_of(
    *, breaches: tuple[str, ...] = (), undocumented: tuple[str, ...] = (), held: tuple[int, int] = (60, 61)
) -> Outcome:
    faults = Faults(share=0.05, randomness=Random(1))  # noqa: S311 - no secret
    faults.injected["dynamodb", Fault.SLOW] = 2
    memory = Memory(1)
    sizes = [held[0] * MB] * 50 + [held[1] * MB] * 50
    memory.samples[Process(1, "get_pack")] = [(2.0 * n, size) for n, size in enumerate(sizes)]
    memory.samples[Process(2, "emulator")] = [(2.0 * n, n * MB) for n in range(100)]
    entries = [Entry("get", at / 10, at / 1000, 200 if at % 50 else 503) for at in range(200)]
    return outcome(
        seconds=200,
        rate=1,
        journal=Journal(entries=entries, undocumented=list(undocumented)),
        faults=faults,
        memory=memory,
        breaches=breaches,
        delivered=0,
        unconfirmed=0,
    )


def test_a_load_in_which_all_holds_is_not_broken() -> None:
    found = outcome_of()

    assert found.broken == []
    assert found.results["invariants"] == "hold"
    assert found.results["by_status"] == {"200": 196, "503": 4}
    assert found.results["faults_injected"] == 2
    assert (found.results["p50_ms"], found.results["p95_ms"], found.results["p99_ms"]) == (99, 189, 197)
    assert [part["errors"] for part in found.over_time["requests"]] == [2, 2]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        pytest.param(outcome_of(breaches=("histories: x",)), "histories: x", id="an invariant"),
        pytest.param(outcome_of(undocumented=("get: 500",)), "get: 500", id="an answer"),
        pytest.param(outcome_of(held=(60, 100)), "get_pack 1 has grown from 60.0 to 100.0 MB", id="memory"),
    ],
)
def test_what_does_not_hold_breaks_it(broken: Outcome, words: str) -> None:
    assert broken.broken == [words]


def test_a_process_started_under_load_is_not_blamed_for_what_it_imports() -> None:
    memory = Memory(1)
    memory.samples[Process(1, "get_pack")] = [(2.0 * n, 60 * MB) for n in range(100)]
    memory.samples[Process(2, "get_pack")] = [(2.0 * n, (30 if n < 40 else 80) * MB) for n in range(20, 100)]

    held = memory.first_and_last(window=30)

    assert (held["processes"], held["grown"]) == (1, {})


def test_a_broken_invariant_is_in_the_figures() -> None:
    assert outcome_of(breaches=("histories: x",)).results["invariants"] == "broken"


@pytest.mark.parametrize(
    ("status", "code", "known"),
    [
        (200, "", True),
        (404, "pack_not_found", True),
        (409, "pack_in_use", True),
        (502, "registry_unavailable", True),
        (502, "registry_cleanup_failed", True),
        (503, "service_unavailable", True),
        (504, "timeout", True),
        (400, "validation_error", False),
        (500, "internal_error", False),
        (502, "service_unavailable", False),
        (503, "internal_error", False),
    ],
)
def test_an_answer_is_one_that_the_contract_knows_or_not(status: int, code: str, known: bool) -> None:
    body = {"error": {"code": code, "message": "", "request_id": "r"}} if code else {}

    assert (fault_of(Reply(status, {"X-Request-Id": "r"}, body)) == "") is known


def test_an_error_that_names_another_request_is_a_fault() -> None:
    body = {"error": {"code": "timeout", "message": "", "request_id": "r"}}

    assert "names another request" in fault_of(Reply(504, {"X-Request-Id": "s"}, body))
