"""What PATCH /packs/{id} takes: who may see a pack, and whether it is deprecated."""

from collections.abc import Mapping
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json
from packyard.http.visibility import parse_visibility
from packyard.operations.update import PackChange
from packyard.packs.deprecation import MAX_MESSAGE_CHARACTERS, Deprecation, check_message
from packyard.packs.pack import PACK_ID, Visibility, is_pack_id
from packyard.text.suggestion import unknown_name

_VISIBILITY: Final = Field(name="visibility", values=Visibility, example=Visibility.COMMUNITY)
_MESSAGE: Final = Field(
    name="message",
    required=True,
    min_length=1,
    max_length=MAX_MESSAGE_CHARACTERS,
    example="Use the pack chat instead.",
    description="One line for people: why, and what to do instead. Everybody who sees the pack sees it.",
)
_REPLACEMENT: Final = Field(
    name="replacement",
    pattern=PACK_ID.pattern,
    example="pack_01JQ2V7N3T5W8XABCDEFGHJKMN",
    description="The id of the pack to use instead. Whoever sees this pack must see that one.",
)
_DEPRECATED: Final = Field(
    name="deprecated",
    kind="object",
    fields=(_MESSAGE, _REPLACEMENT),
    nullable=True,
    description="What is said of the pack in every answer that has it; null to say nothing any more. The pack works as "
    "before.",
)
PACK_CHANGE: Final = Body(
    name="PackChange",
    description="Who may see the pack, and whether it is deprecated: one of the two, or both.",
    fields=(_VISIBILITY, _DEPRECATED),
    min_fields=1,
)


def read_pack_change(event: APIGatewayProxyEvent) -> PackChange:
    """Return the change that a body asks for.

    Raises:
        UnsupportedMediaType, PayloadTooLarge: See `read_json`.
        InvalidRequest: The body is not such an object, has neither field, or has one that is wrong.
    """
    given = read_json(event, PACK_CHANGE)
    if not given:
        raise InvalidRequest(
            {_VISIBILITY.name: 'give visibility, deprecated or both, as in {"visibility": "community"}'}
        )
    faults: dict[str, str] = {}
    change = PackChange(
        visibility=parse_visibility(given[_VISIBILITY.name], faults) if _VISIBILITY.name in given else None,
        sets_deprecated=_DEPRECATED.name in given,
        deprecated=_deprecation(given.get(_DEPRECATED.name), faults),
    )
    if faults:
        raise InvalidRequest(faults)
    return change


def _deprecation(given: Any, faults: dict[str, str]) -> Deprecation | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        faults[_DEPRECATED.name] = (
            'must be an object, as in {"message": "Use the pack chat instead."}, or null'
        )
        return None
    known = (_MESSAGE.name, _REPLACEMENT.name)
    faults |= {
        f"{_DEPRECATED.name}.{name[:64]}": unknown_name(name, known, kind="a field of deprecated")
        for name in list(given)[:20]
        if name not in known
    }
    faults |= {f"{_DEPRECATED.name}.{name}": reason for name, reason in _faults(given)}
    return Deprecation(str(given.get(_MESSAGE.name)), given.get(_REPLACEMENT.name))


def _faults(given: Mapping[str, Any]) -> "list[tuple[str, str]]":
    faults = []
    message = given.get(_MESSAGE.name)
    if not isinstance(message, str):
        faults.append((_MESSAGE.name, f'is required, and text, such as "{_MESSAGE.example}"'))
    else:
        try:
            check_message(message)
        except ValueError as fault:
            faults.append((_MESSAGE.name, str(fault)))
    if _REPLACEMENT.name in given:
        replacement = given[_REPLACEMENT.name]
        if not isinstance(replacement, str) or not is_pack_id(replacement):
            faults.append(
                (_REPLACEMENT.name, f"must be a pack's id, such as {_REPLACEMENT.example}; or leave it out")
            )
    return faults
