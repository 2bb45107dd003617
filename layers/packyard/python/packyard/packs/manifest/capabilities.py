"""The capabilities that a pack asks for: the caps.yaml fragment inside `pack.yaml` (API contract, section 3)."""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MAX_ENTRIES: Final = 100

_MAX_TYPE: Final = 64
_MAX_HOST_NAME: Final = 253
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# RFC 1123, section 2.1. A name whose last label is a number would be an IPv4 address.
_DOMAIN: Final = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)*(?![0-9]+\Z){_LABEL}")
# A token (RFC 9110, section 5.6.2).
_METHOD: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}")
_MAX_PATH: Final = 1024
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PATH: Final = re.compile(r"/[^\x00-\x20\x7f-\x9f]{0,1023}")


def _parse_name(text: str) -> str:
    if _NAME.fullmatch(text) is None:
        raise ValueError("must be a letter, then at most 63 letters, digits, _ or -, such as slack-api")
    return text


def _parse_type(text: str) -> str:
    if not text.strip() or len(text) > _MAX_TYPE or not text.isprintable():
        raise ValueError(f"must be 1 to {_MAX_TYPE} printable characters")
    return text


def _parse_domain(text: str) -> str:
    if len(text.removeprefix("*.")) > _MAX_HOST_NAME or _DOMAIN.fullmatch(text) is None:
        raise ValueError(f"must be a host name such as slack.com or *.slack.com{_domain_hint(text)}")
    return text


def _parse_method(text: str) -> str:
    if _METHOD.fullmatch(text) is None:
        raise ValueError("must be an HTTP method such as GET; each has an entry of its own")
    return text


def _parse_path(text: str) -> str:
    if _PATH.fullmatch(text) is None:
        hint = f": write /{text}" if _PATH.fullmatch(f"/{text}") else ""
        raise ValueError(f"must begin with /, hold no spaces, and have at most {_MAX_PATH} characters{hint}")
    return text


def _domain_hint(text: str) -> str:
    """Return advice to append to a fault, such as the host name that a URL contains; empty if there is none."""
    if text == "*":
        return "; there is no pattern for every host, so name each"
    host = re.split(r"[/:?#]", _SCHEME.sub("", text, count=1), maxsplit=1)[0]
    if re.fullmatch(r"[0-9.]+", host):
        return "; addresses are not taken"
    if host == text or _DOMAIN.fullmatch(host) is None:
        return ""
    return f"; write {host}"


class AllowRule(BaseModel):
    """Requests that a capability allows: to any of the domains, with any of the methods, on any of the paths.

    Without `paths`, every path is allowed. An empty list is refused, because it could mean no path or every path.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    domains: list[Annotated[str, AfterValidator(_parse_domain)]] = Field(min_length=1, max_length=MAX_ENTRIES)
    methods: list[Annotated[str, AfterValidator(_parse_method)]] = Field(min_length=1, max_length=MAX_ENTRIES)
    paths: list[Annotated[str, AfterValidator(_parse_path)]] = Field([], min_length=1, max_length=MAX_ENTRIES)


class Capability(BaseModel):
    """One entry of the fragment. `transforms` and `budgets` are not checked; the agents' runtime interprets them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, AfterValidator(_parse_name)]
    type: Annotated[str, AfterValidator(_parse_type)]
    allow: list[AllowRule] = Field([], max_length=MAX_ENTRIES)
    transforms: Any = None
    budgets: Any = None


def repeated_names(entries: object) -> list[int]:
    """Return the indexes of entries that repeat the `name` of an earlier entry.

    Args:
        entries: The parsed fragment. It may be invalid in other ways, and need not even be a list.
    """
    seen: set[str] = set()
    repeated = []
    for at, entry in enumerate(entries if isinstance(entries, list) else []):
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str):
            if name in seen:
                repeated.append(at)
            seen.add(name)
    return repeated
