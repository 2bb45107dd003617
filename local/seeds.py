"""The organisations of the local stack, one for each billing posture, and their API keys."""

import json
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypedDict

from ulid import ULID

from packyard.store.events import EventLog
from packyard.store.table import ConditionFailed
from packyard.store.tenants import TenantStore
from packyard.tenants.api_key import (
    OPERATOR_PREFIX,
    SECRET_BYTES,
    ApiKey,
    PermissionSet,
    hash_secret,
    new_secret,
)
from packyard.tenants.caller import OPERATE
from packyard.tenants.org import BillingPosture, Org

# Whose key may also `operate`, and how its description names that key.
PLATFORM: Final = "platform"
OPERATOR: Final = "operator"


class SeededOrg(TypedDict):
    """An organisation's id, and the secret of its key for each permission set. The platform has the operator's too."""

    org_id: str
    keys: dict[str, str]


def _new_org(slug: str, org_id: str, now: datetime) -> Org:
    match slug:
        case "lapsed":
            return Org(org_id=org_id, slug=slug, billing=BillingPosture.PAST_DUE)
        case "trial-over":
            ended = now - timedelta(days=1)
            return Org(org_id=org_id, slug=slug, billing=BillingPosture.TRIAL, trial_ends_at=ended)
        case _:
            return Org(org_id=org_id, slug=slug, billing=BillingPosture.ACTIVE, platform=slug == PLATFORM)


def seeding_events() -> EventLog:
    """Return the maker of events of what is written into a local stack."""
    return EventLog(
        clock=lambda: datetime.now(UTC),
        new_ulid=lambda: str(ULID()),
        request_id=lambda: "local stack",
        kept=timedelta(days=400),
    )


SLUGS = ("acme", "globex", "lapsed", "trial-over", PLATFORM)


def seed(*, tenants: TenantStore, remembered: Path, clock: Callable[[], datetime]) -> dict[str, SeededOrg]:
    """Write the organisations and their keys, and return them by slug.

    Args:
        tenants: Where they are written. Existing ones do not change.
        remembered: A file for ids and secrets, because the table only has the secrets' hashes.
        clock: The present instant, UTC.
    """
    if not remembered.exists():
        remembered.touch(mode=0o600)
        remembered.write_text(json.dumps({slug: _new_seed() for slug in SLUGS}, indent=2))
    seeds: dict[str, SeededOrg] = json.loads(remembered.read_text())
    # A state of before has none.
    if OPERATOR not in (keys := seeds[PLATFORM]["keys"]):
        keys[OPERATOR] = new_secret(secrets.token_bytes(SECRET_BYTES), prefix=OPERATOR_PREFIX)
        remembered.write_text(json.dumps(seeds, indent=2))
    for slug, seeded in seeds.items():
        _write(slug, seeded, tenants, clock())
    return seeds


def new_organisation(*, tenants: TenantStore, clock: Callable[[], datetime]) -> SeededOrg:
    """Write an organisation that is in use by nobody, and return it with its keys.

    Args:
        tenants: Where it is written.
        clock: The present instant, UTC.
    """
    seeded = _new_seed()
    _write(seeded["org_id"].replace("_", "-"), seeded, tenants, clock())
    return seeded


def _write(slug: str, seeded: SeededOrg, tenants: TenantStore, now: datetime) -> None:
    with suppress(ConditionFailed):
        tenants.put_org(_new_org(slug, seeded["org_id"], now))
    for name, secret in seeded["keys"].items():
        key = ApiKey(
            key_hash=hash_secret(secret),
            org_id=seeded["org_id"],
            label=f"local {name}",
            permission_set=None if name == OPERATOR else PermissionSet(name),
            granted=frozenset({OPERATE}) if name == OPERATOR else frozenset(),
            created_at=now,
        )
        with suppress(ConditionFailed):
            tenants.put_api_key(key)


def _new_seed() -> SeededOrg:
    return {
        "org_id": f"org_{ULID()}".lower(),
        "keys": {kind.value: new_secret(secrets.token_bytes(SECRET_BYTES)) for kind in PermissionSet},
    }
