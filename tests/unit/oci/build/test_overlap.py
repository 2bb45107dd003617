import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from packyard.oci.build.overlap import Overlap, mapped_ahead, taken_ahead


def double(number: int) -> int:
    return 2 * number


def refuse_three(number: int) -> int:
    if number == 3:
        raise OSError("no space left")
    return number


def test_results_come_in_the_order_of_the_items() -> None:
    with ThreadPoolExecutor(max_workers=3) as threads:
        assert list(mapped_ahead(threads, double, range(100))) == [2 * number for number in range(100)]


def test_items_are_not_taken_far_ahead_of_what_is_asked_for() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    with ThreadPoolExecutor(max_workers=1) as threads:
        results = mapped_ahead(threads, double, items())
        next(results)

        assert len(taken) <= 6


@pytest.mark.parametrize("count", [4, 20], ids=["at the end", "while work goes on"])
def test_an_exception_of_a_call_is_raised_where_its_result_is_awaited(count: int) -> None:
    with ThreadPoolExecutor(max_workers=1) as threads:
        overlap: Overlap[int] = Overlap(threads)

        with pytest.raises(OSError, match="no space left"):
            list(refused(overlap, count))


def refused(overlap: Overlap[int], count: int) -> Iterator[int]:
    for number in range(count):
        yield from overlap.start(refuse_three, number)
    yield from overlap.finish()


def test_items_that_another_thread_takes_keep_their_order() -> None:
    assert list(taken_ahead(iter(range(100)))) == list(range(100))


def test_another_thread_takes_few_items_ahead_and_has_ended_once_no_more_are_wanted() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    before = threading.active_count()
    with closing(taken_ahead(items(), ahead=3)) as ahead:
        assert next(ahead) == 0

    assert len(taken) <= 4
    assert threading.active_count() == before


def test_what_the_other_thread_meets_is_raised_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield from range(20)
        raise OSError("cut off")

    ahead = taken_ahead(items())

    assert [next(ahead) for _ in range(20)] == list(range(20))
    with pytest.raises(OSError, match="cut off"):
        next(ahead)
