"""Adding and removing trusted publishers.

    write the publisher, the count and the event
    read the publisher → remove it, and write the count and the event

A publisher never allows more than the one who adds it may do: scopes, pack, end (API contract, section 1). A crash
before the write leaves nothing, and one after it leaves a publisher that is listed. Keys that were exchanged before a
removal work until they end, for at most 15 minutes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from packyard.errors import InvalidRequest, PermissionDenied, PublisherNotFound, QuotaExceeded
from packyard.network.guard import Guard, TargetRefused
from packyard.packs.manifest.name import PackName
from packyard.store.publishers import PublisherOutdated, PublisherStore, TooManyPublishers
from packyard.tenants.caller import WRITE, Caller
from packyard.tenants.publisher import MAX_PUBLISHERS, IssuerKind, Publisher, is_publisher_id

_OF_A_KEY: Final = "key:"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherRequest:
    """The publisher that a client asks for. See `Publisher`."""

    pack_name: PackName
    kind: IssuerKind
    issuer: str
    claims: Mapping[str, str]
    events: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherKeeper:
    """Adds and removes trusted publishers.

    Attributes:
        publishers: Where they are.
        guard: Knows which hosts may be named.
        clock: The present instant, UTC.
        new_ulid: A ULID never used before.
    """

    publishers: PublisherStore
    guard: Guard
    clock: Callable[[], datetime]
    new_ulid: Callable[[], str]

    def add(self, asked: PublisherRequest, *, caller: Caller) -> Publisher:
        """Add a publisher to the caller's organisation. One write.

        Raises:
            PermissionDenied: It would allow more than the caller may do.
            InvalidRequest: On `issuer`: it may not be asked for its keys.
            QuotaExceeded: The organisation has 100 publishers.
            ServiceUnavailable: DynamoDB did not answer. The publisher may have been added.
        """
        _require_not_wider(asked, caller)
        self._require_reachable(asked)
        publisher = Publisher(
            id=f"pub_{self.new_ulid()}",
            org_id=caller.org_id,
            pack_name=asked.pack_name,
            kind=asked.kind,
            issuer=asked.issuer,
            claims=asked.claims,
            events=asked.events,
            created_at=self.clock(),
            created_by=caller.principal,
            # A session of a person ends within hours, and its person's rights do not end with it.
            expires_at=caller.ends_at if caller.principal.startswith(_OF_A_KEY) else None,
        )
        try:
            self.publishers.add(publisher)
        except TooManyPublishers:
            raise QuotaExceeded(
                f"This organisation has {MAX_PUBLISHERS} trusted publishers, and more are not possible; remove one "
                "that nobody uses with DELETE /trusted-publishers/{id}. GET /trusted-publishers lists them.",
                limit=MAX_PUBLISHERS,
            ) from None
        return publisher

    def remove(self, publisher_id: str, *, caller: Caller) -> None:
        """Remove a publisher of the caller's organisation. One read and one write.

        Raises:
            PublisherNotFound: There is none, or the caller may not remove it. The caller cannot tell which.
            ServiceUnavailable: DynamoDB did not answer. The publisher may be gone.
        """
        found = self.publishers.get(caller.org_id, publisher_id) if is_publisher_id(publisher_id) else None
        if found is None or caller.pack_name not in (None, found.pack_name):
            raise PublisherNotFound
        try:
            self.publishers.remove(found, by=caller.principal)
        except PublisherOutdated:
            raise PublisherNotFound from None

    def _require_reachable(self, asked: PublisherRequest) -> None:
        """Check that an issuer's URL may be named. Its host is not looked up: each fetch of its keys does that."""
        if not asked.issuer:
            return
        try:
            self.guard.target_of(asked.issuer)
        except TargetRefused:
            field = "issuer" if asked.kind is IssuerKind.OTHER else "issuer_url"
            raise InvalidRequest(
                {
                    field: "must be an https URL with a host name, without user name, such as https://gitlab.example.com"
                }
            ) from None


def _require_not_wider(asked: PublisherRequest, caller: Caller) -> None:
    if WRITE not in caller.scopes:
        raise PermissionDenied(
            f"This credential lacks {WRITE}, which a trusted publisher's keys have, and a publisher never allows more "
            "than the credential that adds it."
        )
    if caller.pack_name not in (None, asked.pack_name):
        raise PermissionDenied(
            f"This key is for the pack {caller.pack_name} only, and so are the trusted publishers that it adds."
        )
