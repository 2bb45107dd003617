"""What a pack may do: the caps.yaml fragment inside `pack.yaml` (API contract, section 3)."""

import re
from collections import Counter
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

# A page of packs carries a fragment each.
MAX_TEXT_BYTES = 64 * 1024
MAX_ENTRIES = 100

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# A host whose last label is a number is an address (WHATWG URL, "ends in a number").
_DOMAIN = re.compile(rf"(\*\.)?({_LABEL}\.)*(?![0-9]+$){_LABEL}")
_MAX_HOST_NAME = 253
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}")
_PATH = re.compile(r"/[^\x00-\x20\x7f-\x9f]{0,1023}")


def _name(text: str) -> str:
    if _NAME.fullmatch(text) is None:
        raise ValueError("must be a letter, then at most 63 letters, digits, _ or -")
    return text


def _type(text: str) -> str:
    if not 1 <= len(text) <= 64 or not text.isprintable() or text.isspace():
        raise ValueError("must be 1 to 64 printable characters")
    return text


def _domain(text: str) -> str:
    if len(text.removeprefix("*.")) > _MAX_HOST_NAME or _DOMAIN.fullmatch(text) is None:
        raise ValueError("must be a host name such as slack.com or *.slack.com")
    return text


def _method(text: str) -> str:
    if _METHOD.fullmatch(text) is None:
        raise ValueError("must be an HTTP method such as GET")
    return text


def _path(text: str) -> str:
    if _PATH.fullmatch(text) is None:
        raise ValueError("must start with / and have no spaces, and at most 1024 characters")
    return text


class AllowRule(BaseModel):
    """Which requests a capability allows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    domains: list[Annotated[str, AfterValidator(_domain)]] = Field(min_length=1, max_length=MAX_ENTRIES)
    methods: list[Annotated[str, AfterValidator(_method)]] = Field(min_length=1, max_length=MAX_ENTRIES)
    paths: list[Annotated[str, AfterValidator(_path)]] = Field(
        default=[], min_length=1, max_length=MAX_ENTRIES
    )


class Capability(BaseModel):
    """One entry of the fragment. `transforms` and `budgets` are the runtime's own business."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, AfterValidator(_name)]
    type: Annotated[str, AfterValidator(_type)]
    allow: list[AllowRule] = Field(default=[], max_length=MAX_ENTRIES)
    transforms: Any = None
    budgets: Any = None


def repeated_names(entries: Any) -> dict[int, str]:
    """Return the names that repeat an earlier entry's, by position; entries of any shape are looked at."""
    if not isinstance(entries, list):
        return {}
    names = [entry.get("name") if isinstance(entry, dict) else None for entry in entries]
    counted = Counter(name for name in names if isinstance(name, str))
    return {
        at: name
        for at, name in enumerate(names)
        if isinstance(name, str) and counted[name] > 1 and names.index(name) < at
    }


def text_of(entries: list[Any]) -> str:
    """Return the fragment as YAML text: values and the order of keys as given, comments and styles not."""
    return str(
        yaml.dump(
            entries, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, default_flow_style=False
        )
    )
