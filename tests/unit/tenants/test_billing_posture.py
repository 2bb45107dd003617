from datetime import UTC, datetime, timedelta

import pytest

from packyard.tenants.org import BillingPosture, Org, parse_org_id

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ORG = "org_01hzzzzzzzzzzzzzzzzzzzzzz0"


@pytest.mark.parametrize(
    ("billing", "trial_ends_at", "allowed"),
    [
        pytest.param(BillingPosture.ACTIVE, None, True, id="active"),
        pytest.param(BillingPosture.ACTIVE, NOW - timedelta(days=1), True, id="active_after_its_trial"),
        pytest.param(BillingPosture.TRIAL, NOW + timedelta(seconds=1), True, id="trial_running"),
        pytest.param(BillingPosture.TRIAL, None, True, id="trial_with_no_end_set"),
        pytest.param(BillingPosture.TRIAL, NOW, False, id="trial_ending_this_instant"),
        pytest.param(BillingPosture.TRIAL, NOW - timedelta(seconds=1), False, id="trial_ended"),
        pytest.param(BillingPosture.PAST_DUE, None, False, id="past_due"),
        pytest.param(BillingPosture.PAST_DUE, NOW + timedelta(days=1), False, id="past_due_within_its_trial"),
        pytest.param(BillingPosture.DECOMMISSIONING, None, False, id="decommissioning"),
    ],
)
def test_billing_decides_who_may_create(
    billing: BillingPosture, trial_ends_at: datetime | None, allowed: bool
) -> None:
    org = Org(org_id=ORG, slug="acme", billing=billing, trial_ends_at=trial_ends_at)

    assert org.may_create(NOW) is allowed


def test_an_org_id_is_a_lower_case_ulid() -> None:
    assert parse_org_id(ORG) == ORG


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("org_", id="no_ulid"),
        pytest.param(ORG.upper(), id="upper_case"),
        pytest.param(ORG + "0", id="too_long"),
        pytest.param(ORG + "\n", id="trailing_newline"),
        pytest.param("org_81hzzzzzzzzzzzzzzzzzzzzzz0", id="over_128_bits"),
        pytest.param("org_01hzzzzzzzzzzzzzzzzzzzzzzu", id="letter_that_crockford_leaves_out"),
        pytest.param("org_../../../../../../../../..", id="path"),
    ],
)
def test_anything_else_is_refused_as_an_org_id(text: str) -> None:
    with pytest.raises(ValueError, match="lower-case ULID"):
        parse_org_id(text)
