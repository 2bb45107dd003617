"""Webhooks: making, changing, rotating and deleting them.

    seal the secret → write the webhook and its event
    read the webhook → (seal a new secret) → write its next revision and its event

A crash before the write leaves nothing. A crash after it leaves a webhook whose secret nobody knows; it can be rotated
or deleted. A write that finds another revision than it has read is tried again with what is there now, so two rotations
at once both succeed, and both of their secrets sign.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from packyard.aws.sealed_secrets import SealedSecrets
from packyard.errors import InvalidRequest, QuotaExceeded, ServiceUnavailable, WebhookNotFound
from packyard.network.guard import Guard, Origin, TargetRefused
from packyard.network.public_address import is_public
from packyard.packs.event import EventDraft, EventType
from packyard.packs.precondition import IfMatch
from packyard.store.webhooks import TooManyWebhooks, WebhookOutdated, WebhookStore
from packyard.tenants.caller import Caller
from packyard.webhooks.signature import SECRET_BYTES, secret_text
from packyard.webhooks.webhook import (
    MAX_SECRETS,
    MAX_WEBHOOKS,
    DisabledBecause,
    SealedSecret,
    Webhook,
    WebhookState,
    is_webhook_id,
)

_ATTEMPTS: Final = 5
_NUMBER: Final = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)
_URL_ADVICE: Final = (
    "must be an https URL with a host name or a public address, without user name and fragment, such as "
    "https://example.com/hooks"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """The webhook that a client asks for. See `Webhook`."""

    url: str
    types: tuple[EventType, ...] = ()
    pack_ids: tuple[str, ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretShown:
    """A webhook with its new secret, which is in one answer only.

    Attributes:
        webhook: The webhook as it is stored.
        secret: What its receiver verifies signatures with.
    """

    webhook: Webhook
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """Reads and changes webhooks.

    Attributes:
        store: Where webhooks are.
        secrets: Encrypts their secrets.
        guard: Knows which hosts may be named.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
        random_bytes: Returns that many bytes from the operating system's random source.
    """

    store: WebhookStore
    secrets: SealedSecrets
    guard: Guard
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]
    random_bytes: Callable[[int], bytes]

    def get(self, webhook_id: str, *, caller: Caller) -> Webhook:
        """Return a webhook of the caller's organisation. One read.

        Raises:
            WebhookNotFound: There is none.
            ServiceUnavailable: DynamoDB did not answer.
        """
        webhook = self.store.of(caller.org_id).get(webhook_id) if is_webhook_id(webhook_id) else None
        if webhook is None:
            raise WebhookNotFound
        return webhook

    def create(self, asked: WebhookRequest, *, caller: Caller) -> SecretShown:
        """Make a webhook. One call to KMS and one write.

        Raises:
            InvalidRequest: On `url`: it may not be sent to.
            QuotaExceeded: The organisation has 20 webhooks.
            ServiceUnavailable: KMS or DynamoDB did not answer. There may be a webhook, whose secret nobody knows.
        """
        self._require_reachable(asked.url)
        webhook = Webhook(
            id=f"whk_{self.new_ulid()}",
            org_id=caller.org_id,
            url=asked.url,
            types=asked.types,
            pack_ids=asked.pack_ids,
            description=asked.description,
            created_at=self.clock(),
            created_by=caller.principal,
        )
        secret = self.random_bytes(SECRET_BYTES)
        sealed = self.secrets.seal(secret, sealed_for(webhook))
        webhook = replace(webhook, secrets=(SealedSecret(sealed=sealed),))
        try:
            self.store.create(
                webhook, _event(EventType.WEBHOOK_CREATED, webhook, caller, host=_host(webhook.url))
            )
        except TooManyWebhooks:
            raise QuotaExceeded(
                f"This organisation has {MAX_WEBHOOKS} webhooks, and more are not possible; delete one that nobody "
                "uses with DELETE /webhooks/{id}. GET /webhooks lists them.",
                limit=MAX_WEBHOOKS,
            ) from None
        return SecretShown(webhook=webhook, secret=secret_text(secret))

    def change(
        self, webhook_id: str, changes: Mapping[str, Any], *, caller: Caller, if_match: IfMatch | None
    ) -> Webhook:
        """Change a webhook. What changes nothing writes nothing. One read and one write.

        Args:
            webhook_id: The webhook.
            changes: Fields of `Webhook` with their new values: `url`, `types`, `pack_ids`, `description`, `state`.
            caller: Who changes it.
            if_match: The condition of the request.

        Raises:
            InvalidRequest: As for `create`.
            WebhookNotFound: There is none.
            PreconditionFailed: The webhook is at another revision than `if_match` names.
            ServiceUnavailable: DynamoDB did not answer, or the webhook keeps changing.
        """
        if "url" in changes:
            self._require_reachable(changes["url"])

        def changed(before: Webhook) -> tuple[Webhook, EventDraft] | None:
            after = _changed(before, changes, now=self.clock())
            names = sorted(name for name in changes if getattr(before, name) != getattr(after, name))
            if not names:
                return None
            host = {"host": _host(after.url)} if "url" in names else {}
            return after, _event(EventType.WEBHOOK_UPDATED, after, caller, changed=names, **host)

        return self._write(webhook_id, changed, caller=caller, if_match=if_match)

    def rotate(self, webhook_id: str, *, caller: Caller, if_match: IfMatch | None) -> SecretShown:
        """Give a webhook a new secret. The one before signs for 24 hours more. One read, one call to KMS, one write.

        Raises:
            WebhookNotFound, PreconditionFailed: As for `change`.
            QuotaExceeded: Five secrets sign already, because of rotations within the last 24 hours.
            ServiceUnavailable: As for `change`; also KMS. The secret may have been replaced.
        """
        secret = self.random_bytes(SECRET_BYTES)
        sealed: list[bytes] = []

        def rotated(before: Webhook) -> tuple[Webhook, EventDraft]:
            now = self.clock()
            if len(before.signing(now)) >= MAX_SECRETS:
                raise QuotaExceeded(
                    f"{MAX_SECRETS} secrets of this webhook sign at the moment, because it was rotated "
                    f"{MAX_SECRETS - 1} times within 24 hours; rotate it again when the oldest has ended.",
                    limit=MAX_SECRETS,
                )
            if not sealed:
                sealed.append(self.secrets.seal(secret, sealed_for(before)))
            after = before.rotated(sealed[0], now=now)
            return after, _event(EventType.WEBHOOK_UPDATED, after, caller, changed=["secret"])

        webhook = self._write(webhook_id, rotated, caller=caller, if_match=if_match)
        return SecretShown(webhook=webhook, secret=secret_text(secret))

    def delete(self, webhook_id: str, *, caller: Caller, if_match: IfMatch | None) -> None:
        """Delete a webhook. What is on its way to it is not sent any more. One read and one write.

        Raises:
            WebhookNotFound, PreconditionFailed, ServiceUnavailable: As for `change`.
        """
        for _ in range(_ATTEMPTS):
            before = self._read(webhook_id, caller=caller, if_match=if_match)
            try:
                self.store.delete(before, _event(EventType.WEBHOOK_DELETED, before, caller))
            except WebhookOutdated:
                continue
            return
        raise ServiceUnavailable

    def _write(
        self,
        webhook_id: str,
        changed: Callable[[Webhook], tuple[Webhook, EventDraft] | None],
        *,
        caller: Caller,
        if_match: IfMatch | None,
    ) -> Webhook:
        for _ in range(_ATTEMPTS):
            before = self._read(webhook_id, caller=caller, if_match=if_match)
            change = changed(before)
            if change is None:
                return before
            try:
                return self.store.change(*change)
            except WebhookOutdated:
                continue
        raise ServiceUnavailable

    def _read(self, webhook_id: str, *, caller: Caller, if_match: IfMatch | None) -> Webhook:
        webhook = self.get(webhook_id, caller=caller)
        if if_match is not None and not if_match.matches(webhook.revision):
            raise if_match.refusal(webhook.revision, thing="webhook")
        return webhook

    def _require_reachable(self, url: str) -> None:
        """Check that a URL may be named. Its host is not looked up: each delivery does that."""
        try:
            origin, _ = self.guard.target_of(url)
        except TargetRefused:
            raise InvalidRequest({"url": _URL_ADVICE}) from None
        if (
            "#" in url
            or not _is_visible_ascii(url)
            or not (_may_be_public(origin) or self.guard.trusted.include(origin))
        ):
            raise InvalidRequest({"url": _URL_ADVICE})


def sealed_for(webhook: Webhook) -> dict[str, str]:
    """Return what a webhook's secrets are encrypted for: this webhook of this organisation, and no other."""
    return {"org_id": webhook.org_id, "webhook_id": webhook.id}


def _changed(before: Webhook, changes: Mapping[str, Any], *, now: datetime) -> Webhook:
    after = replace(before, **{name: value for name, value in changes.items() if name != "state"})
    match changes.get("state"):
        case WebhookState.DISABLED if before.is_active:
            after = after.disabled(DisabledBecause.ASKED, now=now)
        case WebhookState.ACTIVE if not before.is_active:
            after = after.enabled()
        case _:
            pass
    # The failures of the old address say nothing of the new one.
    return after if after.url == before.url else replace(after, failing_since=None)


def _event(type_: EventType, webhook: Webhook, caller: Caller, **data: Any) -> EventDraft:
    # Not the URL: it may hold a token, and other webhooks get the event.
    return EventDraft(
        type=type_,
        org_id=webhook.org_id,
        actor=caller.principal,
        data={"webhook_id": webhook.id, **data},
    )


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _may_be_public(origin: Origin) -> bool:
    """Return whether a host is a public address, or a name that may have one.

    Names of one label have none, nor has `localhost` (RFC 6761, section 6.3). Browsers and curl read a name whose last
    label is a number as an IPv4 address, as in `127.1` and `2130706433` (URL standard, "ends in a number").
    """
    try:
        ip_address(origin.host)
    except ValueError:
        labels = origin.host.rstrip(".").lower().split(".")
        return len(labels) > 1 and labels[-1] != "localhost" and not _NUMBER.fullmatch(labels[-1])
    return is_public(origin.host)


def _is_visible_ascii(url: str) -> bool:
    return url.isascii() and url.isprintable() and " " not in url
