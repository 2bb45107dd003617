"""A registry that asks for time: it is given some, and the client is told the rest."""

import pytest
from tests.fake_registry.moods import Says
from tests.fake_registry.server import FakeRegistry
from tests.integration.registry.clients import REPOSITORY, Waiter

from packyard.errors import RegistryThrottled
from packyard.oci.build.image import Image
from packyard.registry.own.distribution import DistributionRegistry


@pytest.mark.parametrize(
    ("header", "waited"),
    [
        ("0", 0.2),
        ("1", 1),
        ("3", 3),
        ("", 0.2),
        ("soon", 0.2),
        ("-1", 0.2),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.2),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_waits_for_as_long_as_the_registry_asks(
    *,
    status: int,
    header: str,
    waited: float,
    fake: FakeRegistry,
    registry: DistributionRegistry,
    waiter: Waiter,
    image: Image,
) -> None:
    """RFC 9110, section 10.2.3; ECR throttles manifests at ten a second (containerd #10447)."""
    fake.moods.append(Says(status=status, headers=(("Retry-After", header),), times=1))

    registry.has_image(REPOSITORY, image.index.digest)

    assert waiter.waited == [waited]


def test_a_date_is_compared_with_the_registry_s_own(
    fake: FakeRegistry, registry: DistributionRegistry, waiter: Waiter, image: Image
) -> None:
    headers = (
        ("Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT"),
        ("Date", "Fri, 31 Dec 1999 23:59:55 GMT"),
    )
    fake.moods.append(Says(status=429, headers=headers, times=1, dated=False))

    registry.has_image(REPOSITORY, image.index.digest)

    assert waiter.waited == [4]


def test_requests_that_were_throttled_together_are_retried_at_different_times(
    fake: FakeRegistry, waiter: Waiter, image: Image
) -> None:
    waiter.random = 0.5
    fake.moods.append(Says(status=429, headers=(("Retry-After", "2"),), times=1))

    waiter.registry(fake.url).has_image(REPOSITORY, image.index.digest)

    assert waiter.waited == [2.5]


@pytest.mark.parametrize(("header", "passed_on"), [("6", 6), ("3600", 3600), ("99999999999", 3600)])
def test_one_that_asks_for_longer_than_a_request_can_wait_is_not_asked_again(
    *,
    header: str,
    passed_on: int,
    fake: FakeRegistry,
    registry: DistributionRegistry,
    waiter: Waiter,
    image: Image,
) -> None:
    fake.moods.append(Says(status=429, headers=(("Retry-After", header),)))

    with pytest.raises(RegistryThrottled) as throttled:
        registry.has_image(REPOSITORY, image.index.digest)

    assert (len(fake.requests), waiter.waited) == (1, [])
    assert throttled.value.retry_after_seconds == passed_on
    assert (throttled.value.status, throttled.value.code) == (503, "service_unavailable")


def test_waiting_has_an_end(
    fake: FakeRegistry, registry: DistributionRegistry, waiter: Waiter, image: Image
) -> None:
    fake.moods.append(Says(status=429, headers=(("Retry-After", "4"),)))

    with pytest.raises(RegistryThrottled):
        registry.has_image(REPOSITORY, image.index.digest)

    assert waiter.waited == [4]


@pytest.mark.parametrize("status", [400, 403])
def test_some_say_too_many_requests_under_another_status(
    status: int, fake: FakeRegistry, registry: DistributionRegistry, waiter: Waiter, image: Image
) -> None:
    fake.moods.append(Says(status=status, body=b'{"errors":[{"code":"TOOMANYREQUESTS"}]}', times=1))

    registry.has_image(REPOSITORY, image.index.digest)

    assert len(waiter.waited) == 1
