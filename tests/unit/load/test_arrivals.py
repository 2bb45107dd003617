"""When a load's requests are due."""

import time
from random import Random
from threading import Barrier, Lock

import pytest
from load.arrivals import poisson, send


def test_the_same_seed_gives_the_same_times_in_order_and_within_the_duration() -> None:
    first, again = (list(poisson(rate=5, seconds=60, randomness=Random(1))) for _ in range(2))  # noqa: S311 - no secret

    assert first == again == sorted(first)
    assert first[0] > 0
    assert first[-1] < 60


def test_as_many_arrive_as_the_rate_says() -> None:
    assert len(list(poisson(rate=5, seconds=2000, randomness=Random(1)))) == pytest.approx(10_000, rel=0.05)  # noqa: S311 - no secret


def test_a_slow_answer_holds_no_later_request_back() -> None:
    all_of_them = Barrier(3)

    def act(_due: float) -> None:
        all_of_them.wait(timeout=20)

    send([0.0, 0.01, 0.02], act, at_once=3)

    assert not all_of_them.broken


def test_no_more_than_so_many_run_at_once() -> None:
    lock, running, most = Lock(), [0], [0]

    def act(_due: float) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.02)
        with lock:
            running[0] -= 1

    send([0.0] * 6, act, at_once=2)

    assert most == [2]


def test_what_goes_wrong_in_an_act_comes_up() -> None:
    def act(_due: float) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        send([0.0], act, at_once=1)
