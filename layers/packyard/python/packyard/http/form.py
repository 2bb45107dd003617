"""Reading a multipart/form-data body (RFC 7578) of bounded size."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest, UnsupportedMediaType
from packyard.http.fields import Body
from packyard.http.misnamed import unknown_field
from packyard.http.multipart import MAX_BOUNDARY, MAX_PARTS, MalformedForm, Part, parse_parameters, parts_of
from packyard.http.named_faults import refusal_of_names
from packyard.http.raw_body import read_bytes

MULTIPART: Final = "multipart/form-data"
_LARGER: Final = "Send a larger archive the staged way: POST /packs/uploads answers a form that takes it."
_HOW: Final = 'curl -H "Authorization: Bearer $KEY" -F archive=@my-pack.tar.gz "$URL"'
# Why a body is not a form, by its Content-Type.
_MISTAKES: Final = {
    "": "The request states no Content-Type. ",
    "application/x-www-form-urlencoded": "This is what curl's -d, --data-binary and --data-raw send. ",
}
# The encoding of the form's texts, in a part of its own (RFC 7578, section 4.6); ASCII is UTF-8 too.
_CHARSET: Final = "_charset_"
_UTF_8: Final = frozenset({b"utf-8", b"utf8", b"us-ascii", b"ascii"})
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}")


def read_form(event: APIGatewayProxyEvent, form: Body, *, max_bytes: int) -> Mapping[str, Part]:
    """Return each part of a form by its name, as `read_parts` checks them; no field of the form is an array."""
    return {name: parts[0] for name, parts in read_parts(event, form, max_bytes=max_bytes).items()}


def read_parts(event: APIGatewayProxyEvent, form: Body, *, max_bytes: int) -> Mapping[str, Sequence[Part]]:
    """Return the parts of a form by their names, in the order in which they came.

    A field that is an array is given by a part for each of its items; others are given once. The names of parts are
    checked here. Whether they are all there, and what they hold, is checked by the caller.
    A part `_charset_` may say that texts are in UTF-8.

    Args:
        event: The gateway's event.
        form: What the operation takes.
        max_bytes: The largest body, decoded.

    Raises:
        UnsupportedMediaType: The body is not multipart/form-data; the message shows how to send it.
        PayloadTooLarge: The body is over `max_bytes`.
        InvalidRequest: On `body`: it is malformed. Otherwise every part that is unknown or given too often.
    """
    boundary = _boundary_of(event.headers.get("Content-Type") or "")
    body = read_bytes(event, max_bytes=max_bytes, larger=_LARGER)
    at_most = {field.name: field.max_items or 1 for field in form.fields}
    faults: dict[str, str] = {}
    parts: dict[str, list[Part]] = {}
    try:
        for part in parts_of(body, boundary, max_parts=MAX_PARTS + sum(at_most.values()) - len(at_most)):
            if part.name == _CHARSET and not part.is_file:
                if part.content.strip().lower() not in _UTF_8:
                    faults[_CHARSET] = (
                        "must be UTF-8, as the texts of this form are; send it so, or leave it out"
                    )
                continue
            given = parts.setdefault(part.name, [])
            given.append(part)
            if part.name not in at_most:
                faults[part.name] = _unknown(part, form)
            elif len(given) > at_most[part.name]:
                times = "once; send it once" if at_most[part.name] == 1 else f"{at_most[part.name]} times"
                faults[part.name] = f"is given more than {times}"
    except MalformedForm as fault:
        raise InvalidRequest({"body": str(fault)}) from None
    if faults:
        raise refusal_of_names(faults, unnamed="body")
    return parts


def _boundary_of(content_type: str) -> str:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != MULTIPART:
        is_known = media_type in _MISTAKES or _MEDIA_TYPE.fullmatch(media_type) is None
        cause = _MISTAKES.get(media_type, "") if is_known else f"This is {media_type}. "
        raise UnsupportedMediaType(f"The body must be a form, {MULTIPART}. {cause}Send it so: {_HOW}")
    try:
        _, parameters, rest = parse_parameters(content_type)
    except MalformedForm as fault:
        raise InvalidRequest({"body": str(fault)}) from None
    boundary = "" if rest else parameters.get("boundary", "")
    if not 1 <= len(boundary) <= MAX_BOUNDARY or not (boundary.isascii() and boundary.isprintable()):
        raise InvalidRequest(
            {
                "body": f"has a Content-Type without a boundary of 1 to {MAX_BOUNDARY} characters; leave that "
                "header to the client, which knows the form's boundary (curl -F, FormData)"
            }
        )
    return boundary


def _unknown(part: Part, form: Body) -> str:
    files = [field.name for field in form.fields if field.kind == "file"]
    # A file in a form of one file is meant to be that file, whatever its part is called.
    if part.is_file and len(files) == 1:
        return f"is not a part of this form; did you mean {files[0]}?"
    return unknown_field(part.name, [field.name for field in form.fields], kind="a part of this form")
