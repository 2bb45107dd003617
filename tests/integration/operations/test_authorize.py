"""The authorizer, through its real handler."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.service import Service

from packyard.http.authorizer import Unauthorized
from packyard.tenants.api_key import ApiKey, PermissionSet, hash_secret, new_secret
from packyard.tenants.org import BillingPosture, Org

SECRET = new_secret(bytes(32))
ORG = Org(org_id="org_01hzacme0000000000000000aa", slug="acme", billing=BillingPosture.ACTIVE)
KEY = ApiKey(
    key_hash=hash_secret(SECRET),
    org_id=ORG.org_id,
    label="ci",
    permission_set=PermissionSet.FULL_ACCESS,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
METHOD_ARN = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/v1/GET/packs/pack_1"


def authorize(service: Service, authorization: str) -> dict[str, Any]:
    event = {"type": "TOKEN", "authorizationToken": authorization, "methodArn": METHOD_ARN}
    answer: dict[str, Any] = service.invoke("authorize", event)
    return answer


def enrol(service: Service, *, org: Org = ORG, key: ApiKey = KEY) -> None:
    service.services.tenants.put_org(org)
    service.services.tenants.put_api_key(key)


def variant(**changes: Any) -> ApiKey:
    return ApiKey(**{name: getattr(KEY, name) for name in KEY.__slots__} | changes)


def test_a_live_key_may_enter_the_whole_stage(service: Service) -> None:
    enrol(service)

    answer = authorize(service, f"Bearer {SECRET}")

    (statement,) = answer["policyDocument"]["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Resource"] == "arn:aws:execute-api:eu-central-1:123456789012:abcdef/v1/*"
    assert answer["context"] == {
        "org_id": ORG.org_id,
        "org_slug": "acme",
        "principal": answer["principalId"],
        "scopes": "audit:read caps:write hooks:write keys:write policy:write roles:write",
        "may_create": "true",
    }


def test_neither_the_secret_nor_its_hash_leaves_the_authorizer(service: Service) -> None:
    enrol(service)

    answer = str(authorize(service, f"Bearer {SECRET}"))

    assert SECRET not in answer
    assert KEY.key_hash not in answer


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_matched_without_regard_to_case(service: Service, scheme: str) -> None:
    enrol(service)

    assert authorize(service, f"{scheme} {SECRET}")["context"]["org_slug"] == "acme"


# RFC 9110, section 11.4: one space or more stand between the scheme and the credential.
@pytest.mark.parametrize("authorization", [f"Bearer  {SECRET}", f"bearer   {SECRET}", f" Bearer {SECRET}\t"])
def test_spaces_around_a_credential_are_no_part_of_it(service: Service, authorization: str) -> None:
    enrol(service)

    assert authorize(service, authorization)["context"]["org_slug"] == "acme"


@pytest.mark.parametrize("permission_set", [PermissionSet.SUBMIT_OBSERVE, PermissionSet.READ_ONLY])
def test_only_full_access_may_write(service: Service, permission_set: PermissionSet) -> None:
    enrol(service, key=variant(permission_set=permission_set))

    assert authorize(service, f"Bearer {SECRET}")["context"]["scopes"] == ""


@pytest.mark.parametrize(
    ("billing", "trial_ends_in_hours", "may_create"),
    [
        (BillingPosture.ACTIVE, None, "true"),
        (BillingPosture.PAST_DUE, None, "false"),
        (BillingPosture.DECOMMISSIONING, None, "false"),
        (BillingPosture.TRIAL, 1, "true"),
        (BillingPosture.TRIAL, 0, "false"),
        (BillingPosture.TRIAL, -1, "false"),
    ],
)
def test_the_billing_posture_decides_about_creating(
    service: Service, billing: BillingPosture, trial_ends_in_hours: int | None, may_create: str
) -> None:
    ends = None if trial_ends_in_hours is None else service.clock.now + timedelta(hours=trial_ends_in_hours)
    enrol(service, org=Org(org_id=ORG.org_id, slug="acme", billing=billing, trial_ends_at=ends))

    assert authorize(service, f"Bearer {SECRET}")["context"]["may_create"] == may_create


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param("", id="nothing"),
        pytest.param("Bearer", id="no token"),
        pytest.param("Bearer ", id="an empty token"),
        pytest.param(SECRET, id="no scheme"),
        pytest.param(f"Basic {SECRET}", id="another scheme"),
        pytest.param(f"Token {SECRET}", id="a third scheme"),
        pytest.param(f'Bearer "{SECRET}"', id="a key in quotes"),
        pytest.param(f"Bearer: {SECRET}", id="a scheme with a colon"),
        pytest.param(f"Bearer {SECRET}\n", id="a key and a line end"),
        pytest.param(f"Bearer Bearer {SECRET}", id="the scheme twice"),
        pytest.param(f"Bearer {new_secret(b'x' * 32)}", id="an unknown key"),
        pytest.param(f"Bearer {SECRET}x", id="a key and more"),
        pytest.param(f"Bearer {SECRET} x", id="a key and another word"),
        pytest.param("Bearer eyJhbGciOiJub25lIn0.e30.", id="a JWT that nobody signed"),
        pytest.param(f"Bearer sk_{'x' * 9000}", id="longer than any key"),
        pytest.param("Bearer sk_\u00e9\ud800", id="not text"),
    ],
)
def test_anything_else_is_unauthorized(service: Service, authorization: str) -> None:
    enrol(service)

    with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
        authorize(service, authorization)


def test_a_key_that_expires_is_unauthorized_from_that_moment(service: Service) -> None:
    enrol(service, key=variant(expires_at=service.clock.now + timedelta(seconds=1)))
    assert authorize(service, f"Bearer {SECRET}")

    service.clock.advance(timedelta(seconds=1))

    with pytest.raises(Unauthorized):
        authorize(service, f"Bearer {SECRET}")


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(hours=1)], ids=["our clock", "a clock ahead"])
def test_a_revoked_key_is_unauthorized_at_once_by_whichever_clock_it_was_revoked(
    service: Service, ahead: timedelta
) -> None:
    enrol(service)
    assert authorize(service, f"Bearer {SECRET}")

    service.services.tenants.revoke_api_key(KEY, at=service.clock.now + ahead)

    with pytest.raises(Unauthorized):
        authorize(service, f"Bearer {SECRET}")


def test_a_key_of_an_organisation_that_is_gone_is_unauthorized(service: Service) -> None:
    service.services.tenants.put_api_key(KEY)

    with pytest.raises(Unauthorized):
        authorize(service, f"Bearer {SECRET}")
