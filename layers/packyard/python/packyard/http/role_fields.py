"""What bodies about roles hold: the packs, where each is pinned, and what is consented to."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from packyard.errors import InvalidRequest
from packyard.http.fields import Field
from packyard.http.revision_field import MAX_REVISION, is_revision
from packyard.operations.role_plan import Wish
from packyard.packs.manifest.name import MAX_LENGTH, SLUG
from packyard.packs.pack import PACK_ID, is_pack_id
from packyard.packs.role import MAX_PACKS

EXAMPLE_ID: Final = "pack_01JQ2V7N3T5W8XABCDEFGHJKMN"
_REVISION: Final = Field(
    name="revision",
    kind="integer",
    minimum=1,
    maximum=MAX_REVISION,
    description="The revision to pin. Without it a new pack is pinned at its present one, and another keeps its pin.",
)
_FOLLOW: Final = Field(
    name="follow",
    kind="boolean",
    default=False,
    description="Whether the service moves the pin to the pack's next revisions, never to wider capabilities.",
)
_ALIAS: Final = Field(
    name="alias",
    pattern=SLUG.pattern,
    max_length=MAX_LENGTH,
    description="What the role calls the pack. Two packs of one name need it.",
)
_ID: Final = Field(
    name="id",
    required=True,
    pattern=PACK_ID.pattern,
    example=EXAMPLE_ID,
    description="Never reused; survives every update.",
)
PACK_IDS: Final = Field(
    name="pack_ids",
    kind="array",
    items=_ID,
    max_items=MAX_PACKS,
    example=[EXAMPLE_ID],
    description="The packs, each once.",
)
PACKS: Final = Field(
    name="packs",
    kind="array",
    items=Field(
        name="pack", kind="object", fields=(_ID, _REVISION, _FOLLOW, _ALIAS), description="A pack of a role."
    ),
    max_items=MAX_PACKS,
    example=[{"id": EXAMPLE_ID, "revision": 4}],
    description="The packs, each once, with where each is pinned: at a `revision`, or following the pack.",
)
ACCEPT: Final = Field(
    name="accept_capabilities",
    kind="object",
    each=Field(name="revision", kind="integer", minimum=1, maximum=MAX_REVISION),
    pattern=PACK_ID.pattern,
    max_items=MAX_PACKS,
    example={EXAMPLE_ID: 5},
    description="By pack, the revision whose capabilities you accept, where they are wider than those of the pin.",
)


def read_ids(given: Any) -> tuple[str, ...]:
    """Return the ids of a list.

    Raises:
        InvalidRequest: On `pack_ids`: it is not a list of at most 49 ids, each once.
    """
    fault = _list_fault(given, lambda entry: entry, f'["{EXAMPLE_ID}"]', "list the ids alone")
    if fault is not None:
        raise InvalidRequest({PACK_IDS.name: fault})
    return tuple(given)


def read_entries(given: Any) -> tuple[Wish, ...]:
    """Return the packs of a list, each with where it is pinned.

    Raises:
        InvalidRequest: On `packs` or `packs[n]...`: it is not a list of at most 49 packs, each once; or one of an
            entry's fields is unknown or wrong.
    """
    example = f'[{{"id": "{EXAMPLE_ID}"}}]'
    fault = _list_fault(
        given, lambda entry: entry.get("id") if isinstance(entry, dict) else None, example, ""
    )
    if fault is not None:
        raise InvalidRequest({PACKS.name: fault})
    faults: dict[str, str] = {}
    for at, entry in enumerate(given):
        faults |= {f"packs[{at}].{name[:64]}": reason for name, reason in _entry_faults(entry)}
        if len(faults) > MAX_PACKS:
            break
    if faults:
        raise InvalidRequest(faults)
    return tuple(
        Wish(
            pack_id=entry["id"],
            revision=int(entry[_REVISION.name]) if _REVISION.name in entry else None,
            follow=entry.get(_FOLLOW.name, False),
            alias=entry.get(_ALIAS.name),
            states_alias=True,
        )
        for entry in given
    )


def read_accepted(given: Mapping[str, Any]) -> dict[str, int]:
    """Return the consent that a body states: by pack, a revision.

    Raises:
        InvalidRequest: On `accept_capabilities`: it is not an object of ids of packs and revisions.
    """
    accepts = given.get(ACCEPT.name, {})
    fault = None
    if not isinstance(accepts, dict) or len(accepts) > MAX_PACKS:
        fault = f"must be an object of at most {MAX_PACKS} packs"
    elif wrong := [pack_id for pack_id in accepts if not is_pack_id(pack_id)]:
        fault = f"has {wrong[0][:64]!r}, which is not the id of a pack"
    elif wrong := [pack_id for pack_id, revision in accepts.items() if not is_revision(revision)]:
        fault = f"must have a revision, a whole number, for {wrong[0]}"
    if fault is not None:
        raise InvalidRequest({ACCEPT.name: f'{fault}, as in {{"{EXAMPLE_ID}": 5}}'})
    return {pack_id: int(revision) for pack_id, revision in accepts.items()}


def _list_fault(given: Any, id_of: Callable[[Any], Any], example: str, advice: str) -> str | None:
    if not isinstance(given, list):
        return f"must be a list of ids of packs, as in {example}; an empty one takes all packs from the role"
    if len(given) > MAX_PACKS:
        return f"must be at most {MAX_PACKS} packs; this has {len(given)}"
    seen = set()
    for number, entry in enumerate(given, 1):
        pack_id = id_of(entry)
        if not isinstance(pack_id, str):
            return f"entry {number} has no id that is text; {advice or 'write'}, as in {example}"
        if not is_pack_id(pack_id):
            return f"entry {number} is not the id of a pack; ids begin with pack_, and GET /packs?q=NAME finds them"
        if pack_id in seen:
            return f"entry {number} repeats {pack_id}; list each pack once"
        seen.add(pack_id)
    return None


def _entry_faults(entry: dict[str, Any]) -> list[tuple[str, str]]:
    known = [field.name for field in (_ID, _REVISION, _FOLLOW, _ALIAS)]
    faults = [(name, f"is not one of {', '.join(known)}") for name in entry if name not in known]
    if _REVISION.name in entry and not is_revision(entry[_REVISION.name]):
        faults.append(
            (_REVISION.name, "must be a whole number from 1, as GET /packs/{id}/revisions lists them")
        )
    if not isinstance(entry.get(_FOLLOW.name, False), bool):
        faults.append((_FOLLOW.name, "must be true or false"))
    elif entry.get(_FOLLOW.name) and _REVISION.name in entry:
        faults.append((_FOLLOW.name, "is for a pack without a revision: it follows the present one"))
    alias = entry.get(_ALIAS.name, "a")
    if not isinstance(alias, str) or SLUG.fullmatch(alias) is None or len(alias) > MAX_LENGTH:
        faults.append(
            (_ALIAS.name, f"must be a slug of at most {MAX_LENGTH} of a-z, 0-9 and -, such as team-slack")
        )
    return faults
