"""What `pack.yaml` says of a pack, once it is known to be right (API contract, section 3)."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from packyard.errors import InvalidRequest
from packyard.packs.capabilities import (
    MAX_ENTRIES,
    MAX_TEXT_BYTES,
    AllowRule,
    Capability,
    repeated_names,
    text_of,
)
from packyard.packs.name import PackName, Slug, parse_slug
from packyard.packs.version import Version, parse_version
from packyard.packs.yaml_document import load_mapping

MAX_FAULTS: Final = 50

_FIELD = "pack.yaml"
_MAX_DISPLAY_NAME = 120
_MAX_DESCRIPTION = 2000
# Controls, line separators, and the marks that make text read in another order than it is written in.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A valid `pack.yaml`.

    Attributes:
        display_name: As given, else made from the name: `slack-api` is shown as `Slack Api`.
        description: None when absent or blank.
        capabilities_text: The caps.yaml fragment as YAML text; None when the pack ships none, or an empty list.
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
    """Return what `content`, a whole `pack.yaml`, says.

    Args:
        content: The file as it is in the archive or image.
        max_bytes: The largest `content` to look at.

    Raises:
        InvalidRequest: Every fault at once, on `pack.yaml` or `pack.yaml:<path>`; at most 50 of them.
    """
    if len(content) > max_bytes:
        raise InvalidRequest({_FIELD: f"must be at most {max_bytes} bytes"})
    document = load_mapping(content)
    faults: dict[str, str] = {}
    try:
        checked = _Document.model_validate(document)
    except ValidationError as error:
        faults = _faults_of(error.errors(include_url=False, include_context=True))
    entries = document.get("capabilities")
    for at in repeated_names(entries):
        faults.setdefault(f"{_FIELD}:capabilities[{at}].name", "is the name of an earlier entry")
    if faults:
        raise InvalidRequest(_bounded(faults))
    return _manifest_of(checked, entries or [])


def _display_name(text: str) -> str:
    if not text.strip() or len(text) > _MAX_DISPLAY_NAME:
        raise ValueError(f"must be 1 to {_MAX_DISPLAY_NAME} characters, not all blank")
    if _UNFIT.search(text):
        raise ValueError("must not hold control characters")
    return text


def _description(text: str) -> str:
    if len(text) > _MAX_DESCRIPTION:
        raise ValueError(f"must be at most {_MAX_DESCRIPTION} characters")
    if _UNFIT.search(text.replace("\n", "").replace("\t", "")):
        raise ValueError("must not hold control characters other than newlines and tabs")
    return text


_SlugText = Annotated[str, AfterValidator(parse_slug)]


class _Document(BaseModel):
    """The keys of `pack.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _SlugText
    version: Annotated[str, AfterValidator(parse_version)]
    display_name: Annotated[str, AfterValidator(_display_name)] = ""
    description: Annotated[str, AfterValidator(_description)] = ""
    category: _SlugText = ""
    capabilities: list[Capability] = Field(default=[], max_length=MAX_ENTRIES)
    suggested_packs: list[_SlugText] = Field(default=[], max_length=MAX_ENTRIES)


def _manifest_of(checked: _Document, entries: list[Any]) -> Manifest:
    text = text_of(entries) if entries else None
    if text is not None and len(text.encode()) > MAX_TEXT_BYTES:
        raise InvalidRequest({f"{_FIELD}:capabilities": f"must be at most {MAX_TEXT_BYTES} bytes of YAML"})
    return Manifest(
        name=Slug(checked.name),
        version=Version(checked.version),
        display_name=checked.display_name or " ".join(map(str.capitalize, checked.name.split("-"))),
        description=checked.description if checked.description.strip() else None,
        category=Slug(checked.category) if checked.category else None,
        capabilities_text=text,
        suggested_packs=tuple(map(Slug, checked.suggested_packs)),
    )


def _faults_of(errors: Iterable[ErrorDetails]) -> dict[str, str]:
    return {_path_of(error["loc"]): _reason_of(error) for error in errors}


def _path_of(loc: tuple[int | str, ...]) -> str:
    path = ""
    for step in loc:
        path += f"[{step}]" if isinstance(step, int) else f".{step[:80]}"
    return f"{_FIELD}:{path.removeprefix('.')}"


_KEYS: Final = {
    1: tuple(_Document.model_fields),
    3: tuple(Capability.model_fields),
    5: tuple(AllowRule.model_fields),
}


def _reason_of(error: ErrorDetails) -> str:
    kind, given, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        close = difflib.get_close_matches(str(error["loc"][-1])[:80], _KEYS[len(error["loc"])], n=1)
        return "is not a known key" + (f"; did you mean {close[0]}?" if close else "")
    if kind == "value_error":
        return str(context["error"])
    if given is None:
        return "must not be null; leave the key out instead"
    if kind == "string_type":
        if isinstance(given, bool | int | float):
            return f"must be text; YAML reads this as {str(given).lower()}, so put it in quotes"
        return "must be text"
    if kind == "list_type":
        return "must be a list"
    if kind == "too_long":
        return f"must have at most {context['max_length']} entries"
    if kind == "too_short":
        return "must not be an empty list"
    return "must be a mapping"


def _bounded(faults: dict[str, str]) -> dict[str, str]:
    if len(faults) <= MAX_FAULTS:
        return faults
    shown = dict(list(faults.items())[:MAX_FAULTS])
    return {**shown, _FIELD: f"and {len(faults) - MAX_FAULTS} more faults"}
