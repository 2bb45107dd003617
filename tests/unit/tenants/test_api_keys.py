import re
from datetime import UTC, datetime, timedelta

import pytest

from packyard.tenants.api_key import SCOPES, ApiKey, PermissionSet, hash_secret, new_secret

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_a_secret_carries_all_of_its_random_bytes() -> None:
    assert new_secret(bytes(32)) == "sk_" + "A" * 43
    assert new_secret(b"\xff" * 32) == "sk_" + "_" * 42 + "8"


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_secret_of_another_strength_is_not_made(length: int) -> None:
    with pytest.raises(ValueError, match="32 random bytes"):
        new_secret(bytes(length))


def test_a_key_is_found_by_the_sha256_of_its_secret() -> None:
    # printf sk_test | sha256sum
    expected = "12b2820cf1639904311da5771de1e5bb65c77073fdc7c555df395942df42896b"

    assert hash_secret("sk_test") == expected
    assert re.fullmatch(r"[0-9a-f]{64}", hash_secret("sk_é"))


def test_only_full_access_may_write() -> None:
    assert {kind for kind, scopes in SCOPES.items() if "caps:write" in scopes} == {PermissionSet.FULL_ACCESS}


def test_every_permission_set_has_its_scopes() -> None:
    assert set(SCOPES) == set(PermissionSet)


@pytest.mark.parametrize(
    ("revoked_at", "expires_at", "live"),
    [
        pytest.param(None, None, True, id="no_end"),
        pytest.param(None, NOW + timedelta(seconds=1), True, id="expires_later"),
        pytest.param(NOW + timedelta(seconds=1), None, False, id="revoked_by_a_clock_that_is_ahead"),
        pytest.param(NOW, None, False, id="revoked_this_instant"),
        pytest.param(None, NOW, False, id="expired_this_instant"),
        pytest.param(NOW - timedelta(days=1), NOW + timedelta(days=1), False, id="revoked_before_it_expires"),
        pytest.param(NOW + timedelta(days=1), NOW - timedelta(days=1), False, id="expired_before_revocation"),
    ],
)
def test_a_key_lives_until_revoked_or_expired(
    revoked_at: datetime | None, expires_at: datetime | None, live: bool
) -> None:
    key = ApiKey(
        key_hash=hash_secret("sk_test"),
        org_id="org_01hzzzzzzzzzzzzzzzzzzzzzz0",
        label="ci",
        permission_set=PermissionSet.FULL_ACCESS,
        created_at=NOW - timedelta(days=2),
        revoked_at=revoked_at,
        expires_at=expires_at,
    )

    assert key.is_live(NOW) is live
