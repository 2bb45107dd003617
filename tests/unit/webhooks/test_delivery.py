from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.webhooks.delivery import RETRIED_FOR, next_wait

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("elapsed", "wait"), [(0, 30), (30, 30), (60, 60), (120, 120), (3000, 3000), (3600, 3600), (80_000, 3600)]
)
def test_the_wait_doubles_up_to_an_hour(elapsed: int, wait: int) -> None:
    assert next_wait(timedelta(seconds=elapsed), retry_after=None, random=0) == timedelta(seconds=wait)


def test_a_day_has_about_thirty_attempts() -> None:
    elapsed, attempts = timedelta(), 0
    while elapsed < RETRIED_FOR:
        elapsed += next_wait(elapsed, retry_after=None, random=0.5)
        attempts += 1

    assert 25 <= attempts <= 35


@given(st.integers(0, 90_000), st.one_of(st.none(), st.integers(0, 10**6)), st.floats(0, 0.999))
def test_a_receiver_may_ask_for_a_longer_wait_but_not_for_more_than_an_hour(
    elapsed: int, retry_after: int | None, random: float
) -> None:
    asked = None if retry_after is None else timedelta(seconds=retry_after)
    wait = next_wait(timedelta(seconds=elapsed), retry_after=asked, random=random)

    assert timedelta(seconds=30) <= wait < HOUR * 1.2
    assert wait >= min(asked or timedelta(), HOUR)
