"""The content of `pack.yaml`, and the faults that it can have (API contract, section 3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from packyard.errors import InvalidRequest
from packyard.packs.manifest.capabilities import ALLOW_RULE, CAPABILITY, MAX_ENTRIES, repeated_names
from packyard.packs.manifest.document_form import Fault, FaultKind, Keys, ListOf, Path, Text
from packyard.packs.manifest.name import PackName, Slug, parse_slug
from packyard.packs.manifest.version import Version
from packyard.packs.manifest.version_text import parse_version
from packyard.packs.manifest.yaml_document import dump, load_mapping
from packyard.text.display import has_control_characters
from packyard.text.suggestion import unknown_name

# A page of a listing contains this text for each of up to 100 packs, so it must be small.
MAX_CAPABILITIES_BYTES: Final = 64 * 1024
MAX_FAULTS: Final = 50

_FIELD: Final = "pack.yaml"
MAX_DISPLAY_NAME: Final = 120
MAX_DESCRIPTION: Final = 2000
_MAX_STEP: Final = 64
# A version such as 1.0 is a number to YAML. It is taken as text, so that the version check can report it.
_AS_WRITTEN: Final = frozenset({"version"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a valid `pack.yaml` says of a pack, or the `SKILL.md` of an Agent Skill (`packs.skill`).

    Attributes:
        name: The pack's name.
        version: SemVer 2.0.0.
        display_name: As given, or else made from the name: `Slack Api` from `slack-api`.
        description: None if it is missing or blank.
        category: None if it is missing.
        capabilities_text: The caps.yaml fragment as YAML text, with its values and the order of its keys as given; None
            if it is missing or an empty list.
        suggested_packs: In the order given.
        file: The file that says it.
        version_is_stated: Whether the file says the version. If not, whoever reads the file decides it
            (`manifest.unstated_version`).
        license: What an Agent Skill says of its license; None for a pack, whose license is a file.
        warnings: What breaks the specification of Agent Skills, each with the field first.
    """

    name: PackName
    version: Version
    display_name: str
    description: str | None = None
    category: Slug | None = None
    capabilities_text: str | None = None
    suggested_packs: tuple[Slug, ...] = ()
    file: str = _FIELD
    version_is_stated: bool = True
    license: str | None = None
    warnings: tuple[str, ...] = ()


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
    # One more than is reported, in order to know whether there are more.
    found = list(islice(_DOCUMENT.faults(document, ()), MAX_FAULTS + 1))
    if any(fault.kind is FaultKind.MISSING for fault in found):
        # Unknown keys first: a required key is often missing because it is misspelled.
        found.sort(key=lambda fault: fault.kind is not FaultKind.UNKNOWN_KEY)
    faults |= {_path_of(fault.path): _reason_of(fault) for fault in found}
    if faults:
        raise InvalidRequest(_bounded(faults))
    return _manifest_of(document, fragment)


def _manifest_of(document: Mapping[str, Any], fragment: str | None) -> Manifest:
    name = PackName(document["name"])
    description = document.get("description", "")
    return Manifest(
        name=name,
        version=Version(document["version"]),
        display_name=document.get("display_name") or " ".join(map(str.capitalize, name.split("-"))),
        description=description if description.strip() else None,
        category=document.get("category"),
        capabilities_text=fragment,
        suggested_packs=tuple(document.get("suggested_packs", ())),
    )


def _check_display_name(text: str) -> None:
    if not text.strip() or len(text) > MAX_DISPLAY_NAME:
        raise ValueError(f"must be 1 to {MAX_DISPLAY_NAME} characters, and not blank; this has {len(text)}")
    if has_control_characters(text):
        raise ValueError("must be one line without control characters")


def _check_description(text: str) -> None:
    if len(text) > MAX_DESCRIPTION:
        raise ValueError(f"must be at most {MAX_DESCRIPTION} characters; this has {len(text)}")
    if has_control_characters(text.replace("\n", " ").replace("\t", " ")):
        raise ValueError("must have no control characters besides newlines and tabs")


_SLUG: Final = Text(parse_slug)
_DOCUMENT: Final = Keys(
    required={"name": _SLUG, "version": Text(parse_version)},
    optional={
        "display_name": Text(_check_display_name),
        "description": Text(_check_description),
        "category": _SLUG,
        "capabilities": ListOf(CAPABILITY, most=MAX_ENTRIES),
        "suggested_packs": ListOf(_SLUG, most=MAX_ENTRIES),
    },
)
# The known keys by the length of a key's path: at the top, in a capability, in one of its rules.
_KNOWN_KEYS: Final = {1: _DOCUMENT.known, 3: CAPABILITY.known, 5: ALLOW_RULE.known}
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
_EXAMPLES: Final[Mapping[Path, str]] = {("name",): "name: slack", ("version",): "version: 1.4.0"}
_REASONS: Final = {
    FaultKind.MISSING: "is required",
    FaultKind.NO_TEXT: "must be text",
    FaultKind.NO_MAPPING: "must be a mapping: lines of key: value",
    FaultKind.TOO_SHORT: "must have at least one entry; only paths may be left out, which allows every path",
    FaultKind.TOO_LONG: f"must have at most {MAX_ENTRIES} entries",
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


def _reason_of(fault: Fault) -> str:
    path, given = fault.path, fault.given
    if fault.kind is FaultKind.REFUSED:
        return fault.reason
    if fault.kind is FaultKind.UNKNOWN_KEY:
        place = _PLACES.get(str(path[-1])) if len(path) == 1 else None
        return unknown_name(str(path[-1]), _KNOWN_KEYS[len(path)], kind="a known key", place=place)
    example = f", as in {_EXAMPLES[path]}" if path in _EXAMPLES else ""
    if given is None and fault.kind is not FaultKind.MISSING:
        return f"has no value; give it one{example or ' or leave it out'}"
    if fault.kind is FaultKind.NO_TEXT and isinstance(given, int | float):
        return f"is not text but {str(given).lower()} to YAML; put it in quotes"
    return (
        f"must be a list: {_LISTS[str(path[-1])]}"
        if fault.kind is FaultKind.NO_LIST
        else _REASONS[fault.kind] + example
    )


def _bounded(faults: dict[str, str]) -> dict[str, str]:
    if len(faults) <= MAX_FAULTS:
        return faults
    return {**dict(islice(faults.items(), MAX_FAULTS)), _FIELD: "has more faults than are listed here"}
