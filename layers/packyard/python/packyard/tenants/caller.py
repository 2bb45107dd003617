"""Who is calling: what the authorizer resolved a credential to."""

from dataclasses import dataclass
from typing import Final, Protocol

WRITE: Final = "caps:write"


class Actor(Protocol):
    """Who makes a change, and for which organisation: a caller, or what a caller has left to be done later."""

    @property
    def org_id(self) -> str:
        """The organisation."""
        ...

    @property
    def principal(self) -> str:
        """Who acts, for the history. Never a secret."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A signed-in principal of one organisation.

    Attributes:
        org_id: The organisation that the credential belongs to.
        org_slug: Its host label, `<slug>.<domain>`.
        principal: Who acts, for the history: `key:<id>` or a JWT's subject. Never a secret.
        scopes: What the credential may do.
        may_create: Whether the organisation's billing posture allows create-class calls.
    """

    org_id: str
    org_slug: str
    principal: str
    scopes: frozenset[str]
    may_create: bool
