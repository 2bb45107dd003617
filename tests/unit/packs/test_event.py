from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from packyard.packs.event import (
    MAX_DATA_BYTES,
    SHOWN_AFTER,
    TRUNCATED,
    bounded,
    data_to_json,
    event_id,
    is_event_id,
    last_shown,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(INSTANTS, st.binary(min_size=16, max_size=16).map(lambda b: str(ULID(b))))
def test_an_id_is_a_ulid_of_its_time_with_the_random_bits_it_was_given(at: datetime, ulid: str) -> None:
    made = event_id(at, ulid)

    assert is_event_id(made)
    assert ULID.from_str(made).milliseconds == int(at.timestamp() * 1000)
    assert made[10:] == ulid[10:]


@given(INSTANTS, INSTANTS)
def test_ids_sort_by_time(one: datetime, other: datetime) -> None:
    if one.timestamp() * 1000 // 1 < other.timestamp() * 1000 // 1:
        assert event_id(one, "Z" * 26) < event_id(other, "0" * 26)


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        (timedelta(0), False),
        (SHOWN_AFTER - timedelta(milliseconds=1), False),
        (SHOWN_AFTER, True),
        (timedelta(days=1), True),
    ],
)
def test_a_list_shows_an_event_when_its_id_is_ten_seconds_old(age: timedelta, *, shown: bool) -> None:
    newest_of_its_time = event_id(NOW - age, "Z" * 26)

    assert (newest_of_its_time <= last_shown(NOW)) is shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "01",
        "81ARZ3NDEKTSV4RRFFQ69G5FAV",
        "01arz3ndektsv4rrffq69g5fav",
        "01ARZ3NDEKTSV4RRFFQ69G5FAI",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV\n",
        "pack_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    ],
)
def test_what_is_no_ulid_is_no_event_id(text: str) -> None:
    assert not is_event_id(text)


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"a": 1, "b": ["ü"]}, {"a": 1, "b": ["ü"]}, id="small"),
        pytest.param(
            {"a": "x" * (MAX_DATA_BYTES - 8)}, {"a": "x" * (MAX_DATA_BYTES - 8)}, id="of_exactly_the_limit"
        ),
        pytest.param(
            {"a": 1, "b": "x" * MAX_DATA_BYTES, "c": 2}, {TRUNCATED: True, "a": 1, "c": 2}, id="one_too_large"
        ),
        pytest.param({"a": "ü" * (MAX_DATA_BYTES // 2)}, {TRUNCATED: True}, id="counted_in_bytes"),
    ],
)
def test_data_is_at_most_16_kib_and_says_when_something_was_left_out(
    data: dict[str, Any], kept: dict[str, Any]
) -> None:
    assert bounded(data) == kept
    assert len(data_to_json(bounded(data)).encode()) <= MAX_DATA_BYTES
