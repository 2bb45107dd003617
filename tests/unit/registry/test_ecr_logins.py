"""Logins at ECR: what STS is asked, how many repositories one has room for, and what becomes of refusals."""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from packyard.errors import ServiceUnavailable
from packyard.registry.own.ecr_logins import EcrLogin, EcrLogins, PolicyTooLarge, session_policy

ROLE: Final = "arn:aws-cn:iam::123456789012:role/pull"
ENDS: Final = datetime(2026, 3, 2, tzinfo=UTC)
CREDENTIALS: Final = {"AccessKeyId": "ASIA", "SecretAccessKey": "secret", "SessionToken": "token"}


class Sts:
    """STS, which notes what it is asked, or refuses."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.asked: dict[str, Any] = {}
        self._refusal = refusal

    def assume_role(self, **asked: Any) -> Mapping[str, Any]:
        self.asked = asked
        if self._refusal is not None:
            raise self._refusal
        return {"Credentials": CREDENTIALS}


class Ecr:
    """ECR for the holder of some credentials."""

    def __init__(self, session: Mapping[str, Any]) -> None:
        assert session == CREDENTIALS

    def get_authorization_token(self) -> Mapping[str, Any]:
        token = b64encode(b"AWS:a:password").decode()
        return {"authorizationData": [{"authorizationToken": token, "expiresAt": ENDS}]}


def logins(sts: Sts) -> EcrLogins:
    return EcrLogins(sts=lambda: sts, ecr=Ecr, role_arn=ROLE)


def names(count: int, length: int, prefix: str = "packs") -> list[str]:
    return [f"{prefix}/org_{'0' * 26}/{number:0{length}}" for number in range(count)]


def refused(code: str) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "…"}, "ResponseMetadata": {"HTTPStatusCode": 400}},  # type: ignore[typeddict-item]
        "AssumeRole",
    )


def test_a_session_of_the_role_may_pull_from_the_repositories_and_nothing_else() -> None:
    sts = Sts()

    login = logins(sts).issue(["packs/org_a/slack", "packs/org_a/jira"], session=f"org_a@{'r' * 128}")

    assert login == EcrLogin("AWS", "a:password", ENDS)
    assert (sts.asked["RoleArn"], sts.asked["DurationSeconds"]) == (ROLE, 3600)
    assert sts.asked["RoleSessionName"] == f"org_a@{'r' * 58}"
    assert json.loads(sts.asked["Policy"])["Statement"] == [
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": [
                "arn:aws-cn:ecr:*:*:repository/packs/org_a/slack",
                "arn:aws-cn:ecr:*:*:repository/packs/org_a/jira",
            ],
        },
    ]


@pytest.mark.parametrize(
    ("length", "prefix", "room"), [(3, "packs", 26), (12, "packs", 23), (40, "packs", 17), (64, "p" * 128, 7)]
)
def test_the_policy_has_room_for_so_many_repositories(length: int, prefix: str, room: int) -> None:
    many = names(49, length, prefix)

    assert len(session_policy(many[:room], partition="aws")) <= 2048
    for count in (room + 1, 49):
        with pytest.raises(PolicyTooLarge) as raised:
            session_policy(many[:count], partition="aws")
        assert raised.value.room == room


def test_more_of_them_are_not_asked_for() -> None:
    sts = Sts()

    with pytest.raises(PolicyTooLarge):
        logins(sts).issue(names(49, 12), session="org_a")

    assert sts.asked == {}


def test_too_many_for_the_packed_form_are_too_many_too() -> None:
    with pytest.raises(PolicyTooLarge) as raised:
        logins(Sts(refused("PackedPolicyTooLarge"))).issue(names(2, 12), session="org_a")

    assert raised.value.room is None


@pytest.mark.parametrize("code", ["Throttling", "ExpiredToken", "InvalidClientTokenId"])
def test_an_outage_of_sts_is_one_error_of_ours(code: str) -> None:
    with pytest.raises(ServiceUnavailable):
        logins(Sts(refused(code))).issue(names(1, 12), session="org_a")


def test_a_role_that_may_not_be_assumed_is_a_bug_of_the_template() -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        logins(Sts(refused("AccessDenied"))).issue(names(1, 12), session="org_a")
