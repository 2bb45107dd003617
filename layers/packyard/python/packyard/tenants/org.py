"""Organisations and their billing postures (API contract, section 1)."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from packyard.tenants.version_policy import VersionPolicy

ORG_ID = re.compile(r"org_[0-7][0-9a-hjkmnp-tv-z]{25}")


class BillingPosture(StrEnum):
    """The billing state of an organisation. It decides whether the organisation may create and change things."""

    ACTIVE = "active"
    TRIAL = "trial"
    PAST_DUE = "past_due"
    DECOMMISSIONING = "decommissioning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Org:
    """One organisation.

    Attributes:
        org_id: `org_` and a lower-case ULID; it is a valid segment of an OCI repository's name.
        slug: The organisation's label in host names, `<slug>.<domain>`.
        billing: The billing posture.
        trial_ends_at: When the trial ends; None for no end. It counts only in the posture `trial`.
        platform: Whether this is the operator's own organisation, whose packs everyone can see.
        version_policy: Which versions it may publish.
    """

    org_id: str
    slug: str
    billing: BillingPosture
    trial_ends_at: datetime | None = None
    platform: bool = False
    version_policy: VersionPolicy = VersionPolicy.FREE

    def may_create(self, now: datetime) -> bool:
        """Return whether create-class calls are allowed at `now`: billing is active, or a trial has not ended."""
        if self.billing is BillingPosture.TRIAL:
            return self.trial_ends_at is None or now < self.trial_ends_at
        return self.billing is BillingPosture.ACTIVE


def parse_org_id(text: str) -> str:
    """Return `text` as an organisation's id.

    Raises:
        ValueError: Not `org_` and a ULID in lower case (Crockford's base 32, 128 bits).
    """
    if ORG_ID.fullmatch(text) is None:
        raise ValueError("must be org_ followed by a lower-case ULID")
    return text
