"""Work that goes on in another thread gives its result, or its failure, to whoever asks."""

from threading import Event

import pytest

from packyard_cli.failure import Exit, Failure
from packyard_cli.meanwhile import Meanwhile


def test_both_threads_work_at_once() -> None:
    here, there = Event(), Event()

    def wait() -> str:
        there.set()
        return "done" if here.wait(10) else "alone"

    work = Meanwhile(wait)

    assert there.wait(10)
    here.set()
    assert work.result() == "done"


def test_a_failure_is_raised_where_the_result_is_asked_for() -> None:
    def fail() -> None:
        raise Failure(Exit.UNAVAILABLE, "The service takes no connection.")

    work = Meanwhile(fail)

    with pytest.raises(Failure, match="takes no connection"):
        work.result()
