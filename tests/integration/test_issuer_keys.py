"""Fetching and keeping an issuer's keys, against a real server on a loopback port."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import urllib3
from tests.issuer import Issuer, public, rsa_key
from tests.service import Clock

from packyard.errors import ServiceUnavailable
from packyard.issuer.published_keys import FRESH, PAUSE, PAUSE_WITHOUT_KEYS, USABLE, IssuerKeys, KeySetAt
from packyard.tenants.signing_keys import KeyName

OLD, NEW = KeyName("old", "RS256"), KeyName("new", "RS256")
UNKNOWN = KeyName("unknown", "RS256")
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer(keys=[public(rsa_key("old"))]) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(issuer: Issuer, clock: Clock) -> Iterator[IssuerKeys]:
    with urllib3.PoolManager() as http:
        yield keys_at(issuer.keys_url, http, clock)


def keys_at(url: str, http: urllib3.PoolManager, clock: Clock) -> IssuerKeys:
    fetch = KeySetAt(url=url, http=http, monotonic=time.monotonic, time_left=lambda: 9)
    return IssuerKeys(fetch=fetch, clock=clock)


def found(keys: IssuerKeys, name: KeyName) -> bool:
    return keys.find(name) is not None


def test_keys_are_fetched_once_for_many_tokens(issuer: Issuer, keys: IssuerKeys, clock: Clock) -> None:
    assert found(keys, OLD)
    clock.advance(FRESH - INSTANT)
    assert found(keys, OLD)

    assert issuer.asked == 1


def test_a_key_that_is_withdrawn_stops_working_with_the_next_fetch(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    found(keys, OLD)
    issuer.keys = [public(rsa_key("new"))]

    clock.advance(FRESH)

    assert not found(keys, OLD)
    assert found(keys, NEW)


def test_a_new_key_is_found_without_waiting_for_the_next_fetch(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    found(keys, OLD)
    issuer.keys = [public(rsa_key("new"))]

    clock.advance(PAUSE)

    assert found(keys, NEW)


def test_a_set_of_one_key_serves_tokens_without_a_name_until_it_has_a_second(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    assert found(keys, KeyName(None, "RS256"))
    issuer.keys = [public(rsa_key("old")), public(rsa_key("new"))]

    clock.advance(FRESH)

    assert not found(keys, KeyName(None, "RS256"))
    assert found(keys, NEW)


def test_unknown_names_make_us_ask_at_most_once_a_minute(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    found(keys, OLD)
    clock.advance(PAUSE)

    for number in range(50):
        assert not found(keys, KeyName(f"unknown {number}", "RS256"))
    assert issuer.asked == 2

    clock.advance(PAUSE - INSTANT)
    found(keys, UNKNOWN)
    assert issuer.asked == 2

    clock.advance(INSTANT)
    found(keys, UNKNOWN)
    assert issuer.asked == 3


def test_known_keys_serve_for_a_day_while_the_issuer_is_down(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    found(keys, OLD)
    issuer.down = True

    clock.advance(USABLE - INSTANT)
    assert found(keys, OLD)
    assert not found(keys, UNKNOWN)

    clock.advance(INSTANT)
    with pytest.raises(ServiceUnavailable):
        keys.find(OLD)


def test_an_issuer_that_is_down_is_asked_once_a_minute_while_there_are_keys(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    found(keys, OLD)
    issuer.down = True
    clock.advance(FRESH)

    for _ in range(50):
        assert found(keys, OLD)

    assert issuer.asked == 2


def test_without_any_keys_the_answer_is_not_now_until_the_issuer_is_back(
    issuer: Issuer, keys: IssuerKeys, clock: Clock
) -> None:
    issuer.down = True
    for _ in range(50):
        with pytest.raises(ServiceUnavailable):
            keys.find(OLD)
    assert issuer.asked == 1
    issuer.down = False

    clock.advance(PAUSE_WITHOUT_KEYS)

    assert found(keys, OLD)


def test_an_issuer_that_has_withdrawn_everything_is_believed(issuer: Issuer, keys: IssuerKeys) -> None:
    issuer.keys = []

    assert not found(keys, OLD)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<html>Sign in to the hotel's network</html>", id="a page"),
        pytest.param(b"", id="nothing"),
        pytest.param(b" " * (256 * 1024) + b'{"keys": []}', id="more than 256 KiB"),
        pytest.param(json.dumps({"keys": [{}] * 33}).encode(), id="more than 32 keys"),
    ],
)
def test_an_answer_that_is_not_a_key_set_counts_as_no_answer(
    issuer: Issuer, keys: IssuerKeys, clock: Clock, body: bytes
) -> None:
    found(keys, OLD)
    issuer.body = body
    clock.advance(FRESH)

    assert found(keys, OLD)
    assert issuer.asked == 2


def test_a_redirect_is_not_followed(issuer: Issuer, keys: IssuerKeys) -> None:
    with Issuer(keys=[public(rsa_key("old"))]) as elsewhere:
        issuer.elsewhere = elsewhere.keys_url

        with pytest.raises(ServiceUnavailable):
            keys.find(OLD)

        assert elsewhere.asked == 0


def test_an_issuer_that_drips_is_left_after_three_seconds(issuer: Issuer, keys: IssuerKeys) -> None:
    issuer.dripping = True
    begun = time.monotonic()

    with pytest.raises(ServiceUnavailable):
        keys.find(OLD)

    assert time.monotonic() - begun < 10, "three seconds, and what a busy machine adds"


def test_an_issuer_that_is_not_there_counts_as_down(clock: Clock) -> None:
    with Issuer() as gone:
        url = gone.keys_url
    with urllib3.PoolManager() as http, pytest.raises(ServiceUnavailable):
        keys_at(url, http, clock).find(OLD)
