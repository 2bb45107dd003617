"""The content of `pack.yaml`, and the faults that it can have (API contract, section 3)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from packyard.errors import InvalidRequest
from packyard.packs.manifest.capabilities import MAX_ENTRIES, AllowRule, Capability, repeated_names
from packyard.packs.manifest.name import PackName, Slug, parse_slug
from packyard.packs.manifest.version import Version
from packyard.packs.manifest.version_text import parse_version
from packyard.packs.manifest.yaml_document import dump, load_mapping
from packyard.text.suggestion import unknown_name

# A page of a listing contains this text for each of up to 100 packs, so it must be small.
MAX_CAPABILITIES_BYTES: Final = 64 * 1024
MAX_FAULTS: Final = 50

_FIELD: Final = "pack.yaml"
_MAX_DISPLAY_NAME: Final = 120
_MAX_DESCRIPTION: Final = 2000
_MAX_STEP: Final = 64
# A version such as 1.0 is a number to YAML. It is taken as text, so that the version check can report it.
_AS_WRITTEN: Final = frozenset({"version"})
# Control characters, line separators, and bidirectional controls, which can reorder displayed text.
_FORBIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A valid `pack.yaml`.

    Attributes:
        name: The pack's name.
        version: SemVer 2.0.0.
        display_name: As given, or else made from the name: `Slack Api` from `slack-api`.
        description: None if it is missing or blank.
        category: None if it is missing.
        capabilities_text: The caps.yaml fragment as YAML text, with its values and the order of its keys as given; None
            if it is missing or an empty list.
        suggested_packs: In the order given.
    """

    name: PackName
    version: Version
    display_name: str
    description: str | None = None
    category: Slug | None = None
    capabilities_text: str | None = None
    suggested_packs: tuple[Slug, ...] = ()


def parse_manifest(content: bytes, *, max_bytes: int) -> Manifest:
    """Return the manifest in a `pack.yaml`.

    Args:
        content: The whole file, as bytes.
        max_bytes: The largest size that is accepted, in bytes.

    Raises:
        InvalidRequest: On `pack.yaml`: the file is too large, or `load_mapping` refuses it. Otherwise on
            `pack.yaml:<path>`: every fault, or the first 50 and a note on `pack.yaml` that there are more.
    """
    if len(content) > max_bytes:
        raise InvalidRequest({_FIELD: f"must be at most {max_bytes} bytes; move long texts into guides/"})
    document = load_mapping(content, as_written=_AS_WRITTEN)
    entries = document.get("capabilities")
    fragment = dump(entries) if entries else None
    faults = _fragment_faults(entries, fragment or "")
    try:
        checked = _Document.model_validate(document)
    except ValidationError as error:
        # One more than is reported, in order to know whether there are more.
        found = error.errors(include_url=False)[: MAX_FAULTS + 1]
        if any(fault["type"] == "missing" for fault in found):
            # Unknown keys first: a required key is often missing because it is misspelled.
            found.sort(key=lambda fault: fault["type"] != "extra_forbidden")
        faults |= {_path_of(fault["loc"]): _reason_of(fault) for fault in found}
        raise InvalidRequest(_bounded(faults)) from None
    if faults:
        raise InvalidRequest(_bounded(faults))
    return Manifest(
        name=checked.name,
        version=checked.version,
        display_name=checked.display_name or " ".join(map(str.capitalize, checked.name.split("-"))),
        description=checked.description if checked.description.strip() else None,
        category=checked.category or None,
        capabilities_text=fragment,
        suggested_packs=tuple(checked.suggested_packs),
    )


def _parse_display_name(text: str) -> str:
    if not text.strip() or len(text) > _MAX_DISPLAY_NAME:
        raise ValueError(f"must be 1 to {_MAX_DISPLAY_NAME} characters, and not blank; this has {len(text)}")
    if _FORBIDDEN.search(text):
        raise ValueError("must be one line without control characters")
    return text


def _parse_description(text: str) -> str:
    if len(text) > _MAX_DESCRIPTION:
        raise ValueError(f"must be at most {_MAX_DESCRIPTION} characters; this has {len(text)}")
    if _FORBIDDEN.search(text.replace("\n", " ").replace("\t", " ")):
        raise ValueError("must have no control characters besides newlines and tabs")
    return text


_Slug = Annotated[Slug, AfterValidator(parse_slug)]


class _Document(BaseModel):
    """The keys of `pack.yaml`. Defaults are empty values and not None, so null is a fault for every key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Slug
    version: Annotated[Version, AfterValidator(parse_version)]
    display_name: Annotated[str, AfterValidator(_parse_display_name)] = ""
    description: Annotated[str, AfterValidator(_parse_description)] = ""
    category: _Slug = Slug("")
    capabilities: list[Capability] = Field([], max_length=MAX_ENTRIES)
    suggested_packs: list[_Slug] = Field([], max_length=MAX_ENTRIES)


# The known keys by the length of a key's path: at the top, in a capability, in one of its rules.
_KNOWN_KEYS: Final = {
    1: tuple(_Document.model_fields),
    3: tuple(Capability.model_fields),
    5: tuple(AllowRule.model_fields),
}
# Advice for keys that belong to the manifests of other systems.
_PLACES: Final = {
    **dict.fromkeys(("title", "label"), "did you mean display_name?"),
    **dict.fromkeys(("summary", "about", "desc"), "did you mean description?"),
    **dict.fromkeys(("permissions", "scopes", "allow", "caps"), "did you mean capabilities?"),
    **dict.fromkeys(("dependencies", "requires", "depends", "packs"), "did you mean suggested_packs?"),
    **dict.fromkeys(("type", "kind", "topic"), "did you mean category?"),
    **dict.fromkeys(("license", "licence"), "put it into the file LICENSE"),
    **dict.fromkeys(
        (
            "author",
            "authors",
            "maintainer",
            "maintainers",
            "homepage",
            "repository",
            "url",
            "tags",
            "keywords",
        ),
        "a pack does not state it; README.md can",
    ),
    "visibility": "it is stated with the upload (-F visibility=community), and PATCH /packs/{id} changes it",
    "tier": "the operator of this service sets it",
}
# Example of a list, by key.
_LISTS: Final = {
    "capabilities": "entries that each begin with - and have a name and a type",
    "allow": "entries that each begin with - and have domains and methods",
    "domains": '["slack.com"]',
    "methods": "[GET, POST]",
    "paths": '["/api/**"]',
    "suggested_packs": "[jira, github]",
}
_EXAMPLES: Final = {("name",): "name: slack", ("version",): "version: 1.4.0"}
_REASONS: Final = {
    "missing": "is required",
    "string_type": "must be text",
    "model_type": "must be a mapping: lines of key: value",
    "too_short": "must have at least one entry; only paths may be left out, which allows every path",
    "too_long": f"must have at most {MAX_ENTRIES} entries",
}


def _fragment_faults(entries: object, fragment: str) -> dict[str, str]:
    faults = {
        _path_of(("capabilities", at, "name")): "is the name of an earlier entry; give each its own"
        for at in repeated_names(entries)
    }
    if len(fragment.encode()) > MAX_CAPABILITIES_BYTES:
        faults[_path_of(("capabilities",))] = f"must be at most {MAX_CAPABILITIES_BYTES} bytes of YAML text"
    return faults


def _path_of(loc: Iterable[int | str]) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{_shown(step)}" for step in loc)
    return f"{_FIELD}:{path.removeprefix('.')}"


def _shown(key: str) -> str:
    short = key if len(key) <= _MAX_STEP else f"{key[:_MAX_STEP]}…"
    return short if short and short.isprintable() else ascii(short)


def _reason_of(fault: ErrorDetails) -> str:
    kind, given, loc = fault["type"], fault["input"], fault["loc"]
    if kind == "value_error":
        return str(fault["ctx"]["error"])
    if kind == "extra_forbidden":
        place = _PLACES.get(str(loc[-1])) if len(loc) == 1 else None
        return unknown_name(str(loc[-1]), _KNOWN_KEYS[len(loc)], kind="a known key", place=place)
    example = f", as in {_EXAMPLES[loc]}" if loc in _EXAMPLES else ""
    if given is None:
        return f"has no value; give it one{example or ' or leave it out'}"
    if kind == "string_type" and isinstance(given, int | float):
        return f"is not text but {str(given).lower()} to YAML; put it in quotes"
    return f"must be a list: {_LISTS[str(loc[-1])]}" if kind == "list_type" else _REASONS[kind] + example


def _bounded(faults: dict[str, str]) -> dict[str, str]:
    if len(faults) <= MAX_FAULTS:
        return faults
    return {**dict(islice(faults.items(), MAX_FAULTS)), _FIELD: "has more faults than are listed here"}
