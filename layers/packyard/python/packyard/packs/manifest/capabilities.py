"""The capabilities that a pack asks for: the caps.yaml fragment inside `pack.yaml` (API contract, section 3)."""

import re
from typing import Final

from packyard.packs.manifest.document_form import ANYTHING, Keys, ListOf, Text

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


def _check_name(text: str) -> None:
    if _NAME.fullmatch(text) is None:
        raise ValueError("must be a letter, then at most 63 letters, digits, _ or -, such as slack-api")


def _check_type(text: str) -> None:
    if not text.strip() or len(text) > _MAX_TYPE or not text.isprintable():
        raise ValueError(f"must be 1 to {_MAX_TYPE} printable characters")


def _check_domain(text: str) -> None:
    if len(text.removeprefix("*.")) > _MAX_HOST_NAME or _DOMAIN.fullmatch(text) is None:
        raise ValueError(f"must be a host name such as slack.com or *.slack.com{_domain_hint(text)}")


def _check_method(text: str) -> None:
    if _METHOD.fullmatch(text) is None:
        raise ValueError("must be an HTTP method such as GET; each has an entry of its own")


def _check_path(text: str) -> None:
    if _PATH.fullmatch(text) is None:
        hint = f": write /{text}" if _PATH.fullmatch(f"/{text}") else ""
        raise ValueError(f"must begin with /, hold no spaces, and have at most {_MAX_PATH} characters{hint}")


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


# Requests that a capability allows: to any of the domains, with any of the methods, on any of the paths. Without
# `paths`, every path is allowed. An empty list is refused, because it could mean no path or every path.
ALLOW_RULE: Final = Keys(
    required={
        "domains": ListOf(Text(_check_domain), least=1, most=MAX_ENTRIES),
        "methods": ListOf(Text(_check_method), least=1, most=MAX_ENTRIES),
    },
    optional={"paths": ListOf(Text(_check_path), least=1, most=MAX_ENTRIES)},
)
# One entry of the fragment. `transforms` and `budgets` are not checked; the agents' runtime interprets them.
CAPABILITY: Final = Keys(
    required={"name": Text(_check_name), "type": Text(_check_type)},
    optional={
        "allow": ListOf(ALLOW_RULE, most=MAX_ENTRIES),
        "transforms": ANYTHING,
        "budgets": ANYTHING,
    },
)


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
