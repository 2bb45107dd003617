"""Callers and actors: who makes a request, and for whom a change is made."""

from dataclasses import dataclass
from typing import Final, Protocol

WRITE: Final = "caps:write"


class Actor(Protocol):
    """Whoever a change is made for: a caller, or the upload that a caller started earlier."""

    @property
    def org_id(self) -> str:
        """The organisation that the actor belongs to."""
        ...

    @property
    def principal(self) -> str:
        """The principal to enter into the history. Never a secret."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The signed-in principal of one HTTP request, as the authorizer resolved the credential.

    Attributes:
        org_id: The organisation that the credential belongs to.
        org_slug: The organisation's label in host names, `<slug>.<domain>`.
        principal: Who acts, for the history: `key:<id>` or `user:` and a JWT's subject. Never a secret.
        scopes: The credential's scopes, such as `caps:write`.
        may_create: Whether the organisation's billing posture allows create-class calls (API contract, section 1).
    """

    org_id: str
    org_slug: str
    principal: str
    scopes: frozenset[str]
    may_create: bool
