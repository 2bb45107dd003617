from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from packyard.errors import ServiceUnavailable
from packyard.registry.credentials import Anonymous, Basic, EcrToken

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LIFE = timedelta(hours=12)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Account:
    """An AWS account whose ECR hands out `tokens` in turn and fails when asked for more."""

    def __init__(self) -> None:
        self.ecr: ECRClient = boto3.client(
            "ecr", region_name="eu-central-1", aws_access_key_id="id", aws_secret_access_key="secret"
        )
        self.stubber = Stubber(self.ecr)

    def will_grant(self, token: str, *, expires_at: datetime) -> None:
        granted: dict[str, Any] = {"authorizationToken": token, "expiresAt": expires_at}
        self.stubber.add_response("get_authorization_token", {"authorizationData": [granted]}, {})


@pytest.fixture
def account() -> Iterator[Account]:
    account = Account()
    with account.stubber:
        yield account
    account.stubber.assert_no_pending_responses()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_token_is_what_basic_asks_for(account: Account, clock: Clock) -> None:
    account.will_grant("QVdTOnNlY3JldA==", expires_at=START + LIFE)

    assert EcrToken(ecr=account.ecr, clock=clock).authorization() == "Basic QVdTOnNlY3JldA=="


def test_one_token_serves_until_shortly_before_it_expires(account: Account, clock: Clock) -> None:
    account.will_grant("first", expires_at=START + LIFE)
    token = EcrToken(ecr=account.ecr, clock=clock)
    token.authorization()

    clock.now = START + LIFE - timedelta(minutes=21)
    assert token.authorization() == "Basic first"

    account.will_grant("second", expires_at=START + 2 * LIFE)
    clock.now = START + LIFE - timedelta(minutes=19)
    assert token.authorization() == "Basic second"


def test_a_refused_token_is_replaced_at_once(account: Account, clock: Clock) -> None:
    account.will_grant("first", expires_at=START + LIFE)
    account.will_grant("second", expires_at=START + LIFE)
    token = EcrToken(ecr=account.ecr, clock=clock)

    assert token.authorization(refused=token.authorization()) == "Basic second"
    assert token.authorization() == "Basic second"


def test_a_token_that_another_thread_has_replaced_is_not_replaced_again(
    account: Account, clock: Clock
) -> None:
    account.will_grant("first", expires_at=START + LIFE)
    account.will_grant("second", expires_at=START + LIFE)
    token = EcrToken(ecr=account.ecr, clock=clock)
    first = token.authorization()
    token.authorization(refused=first)

    assert token.authorization(refused=first) == "Basic second"


def test_when_ecr_is_down_so_are_we(account: Account, clock: Clock) -> None:
    account.stubber.add_client_error(
        "get_authorization_token", service_error_code="ServerException", http_status_code=500
    )

    with pytest.raises(ServiceUnavailable):
        EcrToken(ecr=account.ecr, clock=clock).authorization()


def test_basic_is_user_and_password_in_base64() -> None:
    basic = Basic(user="Aladdin", password="open sesame")

    # The example of RFC 7617, section 2.
    assert basic.authorization() == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert basic.authorization(refused=basic.authorization()) == basic.authorization()


def test_anonymous_shows_nothing() -> None:
    assert Anonymous().authorization() is None
