"""Callers and actors: who makes a request, and for whom a change is made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from packyard.tenants.version_policy import VersionPolicy

WRITE: Final = "caps:write"
WRITE_ROLES: Final = "roles:write"
WRITE_KEYS: Final = "keys:write"
WRITE_HOOKS: Final = "hooks:write"
WRITE_POLICIES: Final = "policy:write"
READ_AUDIT: Final = "audit:read"
# To read how the whole deployment is (decision 146). It is not one of `SCOPES`: only the operator's command gives it.
OPERATE: Final = "operate"
# The operator as an actor, where no name is known; with a name, `operator:` and the name.
OPERATOR: Final = "operator"
# Stands for all scopes, in a JWT and in a request for a key.
FULL_ACCESS: Final = "full_access"
# The scopes of the API contract, section 1. Reading needs none.
SCOPES: Final = frozenset({WRITE, WRITE_ROLES, WRITE_KEYS, WRITE_HOOKS, READ_AUDIT, WRITE_POLICIES})


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

    @property
    def pack_name(self) -> str | None:
        """The name of the only pack of the organisation that the actor may touch; None for an actor of all packs."""
        ...

    @property
    def version_policy(self) -> VersionPolicy:
        """Which versions the organisation may publish, when the actor was signed in."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The signed-in principal of one HTTP request, as the authorizer resolved the credential.

    Attributes:
        org_id: The organisation that the credential belongs to.
        org_slug: The organisation's label in host names, `<slug>.<domain>`.
        principal: Who acts, for the history: `key:<id>`, `user:` and a JWT's subject, or `ci:` and a run of CI. Never a
            secret.
        scopes: The credential's scopes, such as `caps:write`.
        may_create: Whether the organisation's billing posture allows create-class calls (API contract, section 1).
        pack_name: As for `Actor`. There need not be such a pack yet.
        ends_at: From when on the credential is refused; None if it does not expire.
        version_policy: As for `Actor`.
        ci: What is known of the run of CI that the credential was issued to (`ci_run.facts_of`); empty for others.
    """

    org_id: str
    org_slug: str
    principal: str
    scopes: frozenset[str]
    may_create: bool
    pack_name: str | None = None
    ends_at: datetime | None = None
    version_policy: VersionPolicy = VersionPolicy.FREE
    ci: Mapping[str, str] = field(default_factory=dict)


def reaches(actor: Actor, *, org_id: str, name: str) -> bool:
    """Return whether an actor may touch the pack of this name of this organisation, as far as narrowing is concerned.

    An actor that is narrowed to one pack touches that pack and nothing else, other organisations' community packs
    included (API contract, section 1).
    """
    return actor.pack_name is None or (actor.pack_name, actor.org_id) == (name, org_id)


def expand_scopes(names: frozenset[str]) -> frozenset[str]:
    """Return the scopes among some names. `full_access` stands for all of them; unknown names are left out."""
    return SCOPES if FULL_ACCESS in names else SCOPES & names
