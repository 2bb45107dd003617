"""The operator's credentials for third-party registries, and the organisations for which they may be used.

A registry without an entry is read anonymously. If Packyard used its own rights for any host that a caller names,
callers could read images through it that they may not read themselves.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from packyard.aws.cached_value import CachedValue
from packyard.oci.reference import parse_registry
from packyard.registry.credentials import Basic, Credential

_MAX_AGE: Final = timedelta(minutes=5)
# Compiled when they are first used: reading our own registry uses neither.
_ECR: Final = (
    r"[0-9]{12}\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z]{2}(?:-[a-z]+)+-[0-9])\.amazonaws\.com(?:\.cn)?"
)
# All host names of an ECR registry, with FIPS and dual-stack ones (ECR user guide, "Getting started with ... IPv6").
_ECR_NAMES: Final = (
    r"(?P<account>[0-9]{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z]{2}(?:-[a-z]+)+-[0-9])\."
    r"(?:amazonaws\.com|amazonaws\.com\.cn|on\.aws|on\.amazonwebservices\.com\.cn)"
)
_BASIC_KEYS: Final = frozenset({"username", "password"})
_ECR_KEYS: Final = frozenset({"ecr"})
_OPTIONAL_KEYS: Final = frozenset({"orgs", "realm"})


@dataclass(frozen=True, slots=True)
class Grant:
    """A credential for one registry.

    Attributes:
        credential: The credential.
        realm: The host of the registry's token server, which may receive the credential too; None if not configured.
    """

    credential: Credential
    realm: str | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    grant: Grant
    orgs: frozenset[str] | None


def same_ecr(one: str, other: str) -> bool:
    """Tell whether two registries, as in `Reference.registry`, are names of one registry of Amazon ECR."""
    names = re.fullmatch(_ECR_NAMES, one), re.fullmatch(_ECR_NAMES, other)
    return names[0] is not None and names[1] is not None and names[0].groups() == names[1].groups()


class ThirdPartyCredentials:
    """The operator's entries, read on first use and again after five minutes.

    Args:
        load: Returns the secret: JSON that maps a registry to `{"username", "password"}` or `{"ecr": true}`. Each entry
            may add `orgs`, the ids of the organisations that may use it (default: all), and `realm`, the token server's
            host.
        ecr_token: Returns the credential for ECR in a region.
        clock: Returns the current time in UTC.
    """

    def __init__(
        self,
        *,
        load: Callable[[], str],
        ecr_token: Callable[[str], Credential],
        clock: Callable[[], datetime],
    ) -> None:
        self._entries = CachedValue(load=lambda: dict(_entries(load(), ecr_token)), clock=clock)

    def grant_for(self, registry: str, *, org_id: str) -> Grant | None:
        """Return the credential for a registry that an organisation may use, or None.

        Args:
            registry: The registry, as in `Reference.registry`.
            org_id: The organisation for which the registry is read.

        Raises:
            ValueError: The secret has the wrong form. The message quotes nothing secret.
        """
        entry = self._entries.get(max_age=_MAX_AGE).get(registry)
        if entry is None or (entry.orgs is not None and org_id not in entry.orgs):
            return None
        return entry.grant


def _entries(secret: str, ecr_token: Callable[[str], Credential]) -> Iterable[tuple[str, _Entry]]:
    try:
        body = json.loads(secret)
    except ValueError:
        # Without the cause, which quotes the secret.
        raise ValueError("the registry credentials are not JSON") from None
    if not isinstance(body, dict):
        raise ValueError("the registry credentials must be a mapping by registry")  # noqa: TRY004 - one kind of error
    for key, value in body.items():
        registry = parse_registry(key)
        try:
            yield registry, _entry(registry, value, ecr_token)
        except ValueError as error:
            raise ValueError(f"the registry credentials for {registry}: {error}") from None


def _entry(registry: str, value: Any, ecr_token: Callable[[str], Credential]) -> _Entry:
    keys = frozenset(value) - _OPTIONAL_KEYS if isinstance(value, dict) else frozenset()
    if keys not in (_BASIC_KEYS, _ECR_KEYS):
        raise ValueError("must hold username and password, or ecr; orgs and realm may follow")
    realm = value.get("realm")
    return _Entry(
        grant=Grant(
            credential=_ecr(registry, value, ecr_token) if keys == _ECR_KEYS else _basic(value),
            realm=None if realm is None else parse_registry(_text(realm)),
        ),
        orgs=_orgs(value["orgs"]) if "orgs" in value else None,
    )


def _basic(value: dict[str, Any]) -> Credential:
    return Basic(user=_text(value["username"]), password=_text(value["password"]))


def _ecr(registry: str, value: dict[str, Any], ecr_token: Callable[[str], Credential]) -> Credential:
    host = re.fullmatch(_ECR, registry)
    if host is None or value["ecr"] is not True:
        raise ValueError("ecr must be true, and the registry one of Amazon ECR")
    return ecr_token(host["region"])


def _orgs(value: Any) -> frozenset[str]:
    if not isinstance(value, list):
        raise ValueError("orgs must be a list")  # noqa: TRY004 - one kind of error
    return frozenset(map(_text, value))


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("username, password, realm and each of orgs must be a text that is not empty")
    return value
