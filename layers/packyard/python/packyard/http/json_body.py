"""Reading a JSON body (RFC 8259) of bounded size with known fields."""

import base64
import binascii
import json
import re
from collections import Counter
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest, PayloadTooLarge, UnsupportedMediaType
from packyard.http.fields import Body
from packyard.http.misnamed import unknown_field
from packyard.http.named_faults import first_names, refusal_of_names

_MAX_BYTES: Final = 64 << 10
# The names of JSON's values in Python.
_OF_PYTHON: Final = {"None": "null", "True": "true", "False": "false"}
# JSON is UTF-8 (RFC 8259, section 8.1). Some clients say so all the same.
_CONTENT_TYPE: Final = re.compile(
    r'application/json(?:\s*;\s*charset\s*=\s*"?utf-8"?)?(?:\s*;)?', re.IGNORECASE
)
_NOTHING: Final = Body(name="Nothing", description="No fields.", fields=())


def read_json(event: APIGatewayProxyEvent, body: Body) -> dict[str, Any]:
    """Return the object that a request's body holds; a request without a body has an empty one.

    The names of fields are checked here. Their values are checked by the caller.

    Args:
        event: The gateway's event.
        body: What the operation takes.

    Raises:
        UnsupportedMediaType: There is a body, and it is not application/json.
        PayloadTooLarge: It is over 64 KiB.
        InvalidRequest: On `body`: it is not a JSON object. Otherwise every field that is unknown, is missing, or is
            given more than once. Readers of JSON differ on which of several values counts.
    """
    text = event.body or ""
    if not text.strip():
        return _with_known_fields({}, set(), body)
    content_type = event.headers.get("Content-Type") or ""
    if _CONTENT_TYPE.fullmatch(content_type.strip()) is None:
        is_form = content_type.strip().lower().startswith("multipart/")
        raise UnsupportedMediaType(
            "The body must be JSON, and say so: send the header Content-Type: application/json "
            '(curl -H "Content-Type: application/json" -d ...).'
            f"{' An archive goes to POST /packs/upload.' if is_form else ''}"
        )
    given, repeated = _parse(_decoded(text, is_base64=bool(event.is_base64_encoded)))
    return _with_known_fields(given, repeated, body)


def read_nothing(event: APIGatewayProxyEvent) -> None:
    """Check that a body, if there is one, has no fields.

    Raises:
        UnsupportedMediaType, PayloadTooLarge, InvalidRequest: As for `read_json`.
    """
    read_json(event, _NOTHING)


def whole_number(value: Any) -> int | None:
    """Return the whole number that a value of a JSON body is; None if it is none.

    JSON has one type of number, and some clients write all with a fraction: 60.0 is 60 (JSON Schema, "integer").
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    # JSON's true is an int in Python.
    return value if type(value) is int else None


def _decoded(text: str, *, is_base64: bool) -> bytes:
    if len(text) > 2 * _MAX_BYTES:
        raise _too_large()
    try:
        body = base64.b64decode(text, validate=True) if is_base64 else text.encode("utf-8", "surrogatepass")
    except binascii.Error:
        raise InvalidRequest({"body": "is not valid base64"}) from None
    if len(body) > _MAX_BYTES:
        raise _too_large()
    return body


def _too_large() -> PayloadTooLarge:
    return PayloadTooLarge(
        f"The body is over {_MAX_BYTES} bytes, the most for JSON here; an archive goes to POST /packs/upload as a form."
    )


def _parse(body: bytes) -> tuple[dict[str, Any], set[str]]:
    """Return the object in a body, and the names that are given more than once in it or in an object within it."""
    repeated: set[str] = set()

    def unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(name for name, _ in members)
        repeated.update(name for name, count in counts.items() if count > 1)
        return dict(members)

    def refuse(constant: str) -> None:
        raise InvalidRequest({"body": f"holds {constant}, which is not JSON; write a number or null"})

    try:
        # A byte order mark may be ignored (RFC 8259, section 8.1). Some tools write one.
        given = json.loads(body.decode("utf-8-sig"), object_pairs_hook=unique, parse_constant=refuse)
        # JSON can escape half of a surrogate pair, which UTF-8 cannot encode.
        json.dumps(given, ensure_ascii=False).encode()
    except RecursionError:
        raise InvalidRequest({"body": "is nested too deeply"}) from None
    except json.JSONDecodeError as error:
        place = f"is not valid JSON from line {error.lineno}, column {error.colno} on"
        raise InvalidRequest({"body": f"{place}; {_advice(error.doc, error.pos)}"}) from None
    except UnicodeDecodeError:
        raise InvalidRequest({"body": "is not UTF-8; send JSON in UTF-8"}) from None
    except ValueError:
        raise InvalidRequest(
            {"body": "holds half of a surrogate pair, or a number that is too long"}
        ) from None
    if isinstance(given, str):
        raise InvalidRequest(
            {"body": "is text in JSON, perhaps of what was JSON before; send the object itself"}
        )
    if not isinstance(given, dict):
        raise InvalidRequest({"body": 'must be a JSON object, such as {"name": "value"}'})
    return given, repeated


def _advice(text: str, at: int) -> str:
    """Return what helps with a text that is not JSON from a position on."""
    if at == 0 and (text.startswith("@") or text.strip().lower().endswith(".json")):
        return "it is the name of a file, and curl -d @FILE sends what is in it"
    for python, value in _OF_PYTHON.items():
        if text.startswith(python, at):
            return f"write {value} for {python}"
    return "use double quotes, and no comma after the last entry"


def _with_known_fields(given: dict[str, Any], repeated: set[str], body: Body) -> dict[str, Any]:
    known = [field.name for field in body.fields]
    # Unknown names come first: a required field is often missing because it was given under another name.
    unknown = first_names(name for name in given if name not in known)
    faults = {name: unknown_field(name, known, kind="a field of this request") for name in unknown}
    faults |= dict.fromkeys(sorted(repeated), "is given more than once; give it once")
    faults |= {
        field.name: f"is required, as in {json.dumps({field.name: field.example})}"
        for field in body.fields
        if field.required and field.name not in given
    }
    if faults:
        raise refusal_of_names(faults, unnamed="body")
    return given
