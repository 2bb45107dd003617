from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.aws import Aws

from packyard.store.table import ConditionFailed
from packyard.store.tenants import SlugTaken, TenantStore
from packyard.tenants.api_key import ApiKey, PermissionSet, hash_secret
from packyard.tenants.org import BillingPosture, Org

EARLY = datetime(2026, 1, 1, tzinfo=UTC)
LATE = datetime(2026, 12, 31, tzinfo=UTC)
ORG = Org(
    org_id="org_01hzzzzzzzzzzzzzzzzzzzzzz0",
    slug="acme",
    billing=BillingPosture.TRIAL,
    trial_ends_at=LATE,
    platform=True,
)
KEY = ApiKey(
    key_hash=hash_secret("sk_test"),
    org_id=ORG.org_id,
    label="ci",
    permission_set=PermissionSet.SUBMIT_OBSERVE,
    created_at=EARLY,
    revoked_at=LATE,
    expires_at=LATE,
)


@pytest.fixture
def tenants(aws: Aws) -> TenantStore:
    return TenantStore(table=aws.table, events=aws.events)


@pytest.mark.parametrize(
    "org",
    [
        pytest.param(ORG, id="with_everything"),
        pytest.param(Org(org_id=ORG.org_id, slug="acme", billing=BillingPosture.ACTIVE), id="with_the_least"),
    ],
)
def test_an_organisation_is_read_back_as_it_was_written(tenants: TenantStore, org: Org) -> None:
    tenants.put_org(org)

    assert tenants.get_org(org.org_id) == org


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(KEY, id="with_everything"),
        pytest.param(
            ApiKey(
                key_hash=KEY.key_hash,
                org_id=ORG.org_id,
                label="",
                permission_set=PermissionSet.FULL_ACCESS,
                created_at=EARLY,
            ),
            id="with_the_least",
        ),
    ],
)
def test_a_key_is_read_back_as_it_was_written(tenants: TenantStore, key: ApiKey) -> None:
    tenants.put_api_key(key)

    assert tenants.get_api_key(key.key_hash) == key


def test_an_expired_key_is_not_given_to_the_tables_ttl(aws: Aws, tenants: TenantStore) -> None:
    tenants.put_api_key(KEY)

    item = aws.table.get({"PK": f"KEY#{KEY.key_hash}", "SK": "KEY"})

    assert item is not None
    assert "expires_at" not in item


def test_an_unknown_id_gives_none(tenants: TenantStore) -> None:
    assert tenants.get_org(ORG.org_id) is None
    assert tenants.get_api_key(KEY.key_hash) is None


def test_an_organisation_is_never_overwritten(tenants: TenantStore) -> None:
    tenants.put_org(ORG)

    with pytest.raises(ConditionFailed):
        tenants.put_org(Org(org_id=ORG.org_id, slug="evil", billing=BillingPosture.ACTIVE))

    assert tenants.get_org(ORG.org_id) == ORG


def test_a_key_is_never_overwritten(tenants: TenantStore) -> None:
    tenants.put_api_key(KEY)

    with pytest.raises(ConditionFailed):
        tenants.put_api_key(KEY)


def test_a_slug_leads_to_its_organisation(tenants: TenantStore) -> None:
    tenants.put_org(ORG)

    assert tenants.find_org("acme") == ORG.org_id
    assert tenants.find_org("globex") is None


def test_a_slug_belongs_to_one_organisation(tenants: TenantStore) -> None:
    tenants.put_org(ORG)
    other = replace(ORG, org_id="org_01hzzzzzzzzzzzzzzzzzzzzzz1")

    with pytest.raises(SlugTaken) as refusal:
        tenants.put_org(other)

    assert refusal.value.holder == ORG.org_id
    assert tenants.get_org(other.org_id) is None


@pytest.mark.parametrize(
    ("billing", "trial_ends_at"),
    [(BillingPosture.TRIAL, LATE), (BillingPosture.TRIAL, None), (BillingPosture.PAST_DUE, None)],
)
def test_a_posture_is_replaced_as_a_whole(
    tenants: TenantStore, billing: BillingPosture, trial_ends_at: datetime | None
) -> None:
    before = replace(ORG, billing=BillingPosture.ACTIVE, trial_ends_at=EARLY)
    tenants.put_org(before)

    changed = tenants.set_posture(before, billing=billing, trial_ends_at=trial_ends_at)

    assert changed == replace(ORG, billing=billing, trial_ends_at=trial_ends_at)
    assert tenants.get_org(ORG.org_id) == changed


def test_an_unknown_organisation_gets_no_billing_posture(tenants: TenantStore) -> None:
    with pytest.raises(ConditionFailed):
        tenants.set_posture(ORG, billing=BillingPosture.ACTIVE, trial_ends_at=None)

    assert tenants.get_org(ORG.org_id) is None


def test_an_organisation_s_keys_are_listed_and_nobody_else_s(tenants: TenantStore) -> None:
    later = replace(KEY, key_hash=hash_secret("sk_later"), created_at=LATE)
    for key in (later, KEY, replace(KEY, key_hash=hash_secret("sk_globex"), org_id="org_of_globex")):
        tenants.put_api_key(key)

    assert list(tenants.list_api_keys(ORG.org_id)) == [KEY, later]


def test_a_key_is_revoked_once(tenants: TenantStore) -> None:
    standing = replace(KEY, revoked_at=None)
    tenants.put_api_key(standing)

    first = tenants.revoke_api_key(standing, at=EARLY)
    second = tenants.revoke_api_key(standing, at=LATE)

    assert first.revoked_at == second.revoked_at == EARLY
    assert tenants.get_api_key(KEY.key_hash) == replace(KEY, revoked_at=EARLY)


def test_a_key_that_is_not_there_is_not_made_by_revoking_it(tenants: TenantStore) -> None:
    with pytest.raises(ConditionFailed):
        tenants.revoke_api_key(replace(KEY, revoked_at=None), at=EARLY)

    assert tenants.get_api_key(KEY.key_hash) is None
