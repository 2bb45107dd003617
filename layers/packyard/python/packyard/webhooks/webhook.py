"""A webhook: the URL that an organisation's events are sent to, and which of them (API contract, section 9)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from packyard.packs.event import Event, EventType

WEBHOOK_ID: Final = re.compile(r"whk_[0-7][0-9A-HJKMNP-TV-Z]{25}")
# Of one organisation. All of its webhooks are one item, which has room for them (decision 114).
MAX_WEBHOOKS: Final = 20
MAX_URL_CHARACTERS: Final = 2048
MAX_PACKS: Final = 50
MAX_DESCRIPTION_CHARACTERS: Final = 200
# For this long after a rotation, the secret before still signs (API contract, section 9).
OLD_SECRETS_SIGN: Final = timedelta(hours=24)
# The most secrets that sign at the same time. Each adds 47 bytes to a header.
MAX_SECRETS: Final = 5


class WebhookState(StrEnum):
    """Whether a webhook gets events."""

    ACTIVE = "active"
    DISABLED = "disabled"


class DisabledBecause(StrEnum):
    """Why a webhook gets no events."""

    # A caller said so.
    ASKED = "asked"
    # No delivery has succeeded for five days.
    FAILING = "failing"
    # Its receiver answered 410, which asks for that (Standard Webhooks 1.0, "Delivery success and failure").
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecret:
    """A secret that signs, as KMS has encrypted it.

    Attributes:
        sealed: The ciphertext.
        ends_at: From when on it no longer signs; None for the present one.
    """

    sealed: bytes
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One webhook of an organisation.

    Attributes:
        id: `whk_` and a ULID.
        org_id: The organisation.
        url: Where its events are sent.
        types: The types of events that it asks for; empty for all types.
        pack_ids: Only events of these packs; empty for events of all packs and of none.
        description: For people.
        state: Whether it gets events.
        disabled_because: Why it gets none; None while it is active.
        disabled_at: Since when it gets none; None while it is active.
        failing_since: When the first delivery failed after the last that succeeded; None while deliveries succeed.
        secrets: The secrets that sign, the present one first.
        created_at: When it was made.
        created_by: Who made it, a principal.
        revision: Every change adds 1.
    """

    id: str
    org_id: str
    url: str
    types: tuple[EventType, ...] = ()
    pack_ids: tuple[str, ...] = ()
    description: str | None = None
    state: WebhookState = WebhookState.ACTIVE
    disabled_because: DisabledBecause | None = None
    disabled_at: datetime | None = None
    failing_since: datetime | None = None
    secrets: tuple[SealedSecret, ...] = ()
    created_at: datetime
    created_by: str
    revision: int = 1

    @property
    def is_active(self) -> bool:
        """Whether it gets events."""
        return self.state is WebhookState.ACTIVE

    def wants(self, event: Event) -> bool:
        """Return whether an event of its organisation is sent to it."""
        return (
            self.is_active
            and (not self.types or event.type in self.types)
            and (not self.pack_ids or event.pack_id in self.pack_ids)
        )

    def signing(self, now: datetime) -> Sequence[SealedSecret]:
        """Return the secrets that sign at `now`, the present one first."""
        return [secret for secret in self.secrets if secret.ends_at is None or secret.ends_at > now]

    def rotated(self, sealed: bytes, *, now: datetime) -> "Webhook":
        """Return the webhook with another present secret. The one before signs for 24 hours more.

        Args:
            sealed: The new secret, encrypted.
            now: The present instant, UTC.
        """
        before = (
            replace(secret, ends_at=secret.ends_at or now + OLD_SECRETS_SIGN) for secret in self.signing(now)
        )
        return replace(self, secrets=(SealedSecret(sealed=sealed), *before))

    def disabled(self, because: DisabledBecause, *, now: datetime) -> "Webhook":
        """Return the webhook without events from now on."""
        return replace(self, state=WebhookState.DISABLED, disabled_because=because, disabled_at=now)

    def enabled(self) -> "Webhook":
        """Return the webhook with events from now on, and its failures forgotten."""
        return replace(
            self, state=WebhookState.ACTIVE, disabled_because=None, disabled_at=None, failing_since=None
        )


def is_webhook_id(text: str) -> bool:
    """Return whether `text` has the form of a webhook's id."""
    return WEBHOOK_ID.fullmatch(text) is not None
