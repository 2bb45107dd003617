"""Trusted publishers: whose CI may publish a pack without a stored secret (API contract, section 10)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

MAX_PUBLISHERS: Final = 100
MAX_EVENTS: Final = 16
PUBLISHER_ID: Final = re.compile(r"pub_[0-7][0-9A-HJKMNP-TV-Z]{25}")
# The name of an event in a CI system: `release`, `workflow_dispatch`, `merge_request_event`.
EVENT_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


class IssuerKind(StrEnum):
    """Whose tokens a publisher takes, and so which claims it knows."""

    GITHUB = "github"
    GITLAB = "gitlab"
    AWS = "aws"
    OTHER = "other"


# The issuer of a kind that has one for everybody.
ISSUER_URLS: Final[Mapping[IssuerKind, str]] = MappingProxyType(
    {
        IssuerKind.GITHUB: "https://token.actions.githubusercontent.com",
        IssuerKind.GITLAB: "https://gitlab.com",
    }
)
# The issuer of an AWS account (IAM user guide, "Outbound identity federation": each account has an issuer of its own).
AWS_ISSUER: Final = re.compile(r"https://[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.tokens\.sts\.global\.api\.aws")
# The events that may publish without being named, by kind: what somebody with write access has begun. GitLab's
# `pipeline` and `parent_pipeline` are not among them, since a merge request may have begun what leads to them.
USUAL_EVENTS: Final[Mapping[IssuerKind, frozenset[str]]] = MappingProxyType(
    {
        IssuerKind.GITHUB: frozenset(
            {"push", "release", "schedule", "workflow_dispatch", "repository_dispatch"}
        ),
        IssuerKind.GITLAB: frozenset({"push", "web", "schedule", "api", "trigger"}),
    }
)
# The claims that a name stands for until the first token brings them: ids do not change when a name does, and are
# never given to somebody else.
PINNED_CLAIMS: Final[Mapping[IssuerKind, tuple[str, ...]]] = MappingProxyType(
    {
        IssuerKind.GITHUB: ("repository_id", "repository_owner_id"),
        IssuerKind.GITLAB: ("project_id", "namespace_id"),
        IssuerKind.AWS: ("issuer",),
        IssuerKind.OTHER: (),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """A trusted publisher.

    Attributes:
        id: `pub_` and a ULID; never reused.
        org_id: The organisation whose pack it publishes.
        pack_name: The only pack that it publishes. There need not be such a pack yet.
        kind: Which claims it knows.
        issuer: What `iss` must be; empty for an AWS account whose issuer the first token brings.
        claims: What the claims of a token must be, by the names that `GET /trusted-publishers` shows.
        pinned: What the first token has brought of `PINNED_CLAIMS`, as far as `claims` did not say it.
        events: The only events of CI that may publish; empty for `USUAL_EVENTS`.
        created_at: When it was added.
        created_by: Who added it, a principal.
        expires_at: From when on it takes no tokens: when the API key ends that added it; None for never.
    """

    id: str
    org_id: str
    pack_name: str
    kind: IssuerKind
    issuer: str
    claims: Mapping[str, str]
    created_at: datetime
    created_by: str
    pinned: Mapping[str, str] = field(default_factory=dict)
    events: frozenset[str] = frozenset()
    expires_at: datetime | None = None

    @property
    def known(self) -> Mapping[str, str]:
        """Every claim that is known: stated, or brought by the first token."""
        return {**self.pinned, **self.claims}

    @property
    def missing(self) -> tuple[str, ...]:
        """The claims that the next token that is taken brings."""
        stated = {"issuer": self.issuer, **self.known}
        return tuple(name for name in PINNED_CLAIMS[self.kind] if not stated.get(name))

    @property
    def allowed_events(self) -> frozenset[str]:
        """The events that may publish, where the token names one."""
        if self.events:
            return self.events
        # A CI system with an issuer of its own may name its events as GitHub does, as Forgejo, or as GitLab does.
        return USUAL_EVENTS.get(self.kind) or frozenset[str]().union(*USUAL_EVENTS.values())

    def takes_issuer(self, issuer: str) -> bool:
        """Return whether a token of this issuer may be the publisher's."""
        known = self.issuer or self.pinned.get("issuer", "")
        if known:
            return issuer == known
        return self.kind is IssuerKind.AWS and AWS_ISSUER.fullmatch(issuer) is not None

    def is_live(self, now: datetime) -> bool:
        """Return whether it takes tokens at `now`."""
        return self.expires_at is None or now < self.expires_at


def is_publisher_id(text: str) -> bool:
    """Return whether `text` has the form of a publisher's id."""
    return PUBLISHER_ID.fullmatch(text) is not None
