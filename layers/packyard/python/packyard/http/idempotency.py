"""The `Idempotency-Key` header: a client that has lost an answer sends the request again, and gets the answer.

A refusal is kept when its cause is the request itself: such a request stays wrong however often it is sent. A refusal
whose cause lies elsewhere and a failure of the service (5xx) are not kept: the key is unused, and a repeat tries again.
The same holds for refusals before the operation is called, of the caller or of a request that cannot be read
(decision 37). An answer that holds a secret is not kept either. Its repeat is told that the thing has been made.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import timedelta
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.composition.bootstrap import Services
from packyard.errors import InvalidRequest, PackyardError, PayloadTooLarge, UnsupportedMediaType
from packyard.http.app import json_response, refusal
from packyard.http.fields import Field
from packyard.tenants.caller import Caller

HEADER: Final = "Idempotency-Key"
IDEMPOTENCY_KEY: Final = Field(
    name=HEADER,
    pattern=r"[\x21-\x7e]{1,255}",
    description="The same key and request within 24 hours repeat the first answer: what was done, or a refusal of what "
    "the request itself holds.",
)
_KEY: Final = re.compile(str(IDEMPOTENCY_KEY.pattern))
# The refusals by which an operation can say that the request itself is wrong (decision 37).
_ABOUT_THE_REQUEST: Final = frozenset(
    {InvalidRequest.status, PayloadTooLarge.status, UnsupportedMediaType.status}
)


def answered_once(  # noqa: PLR0913 - by name: who asks for what, and how
    app: APIGatewayRestResolver,
    services: Services,
    answer: Callable[[], Response[str]],
    *,
    caller: Caller,
    request: tuple[object, ...],
    request_decides: bool = False,
    repeated: Callable[[Mapping[str, Any]], PackyardError] | None = None,
) -> Response[str]:
    """Return the answer to a request. A repeat with the same key gets the first answer.

    Args:
        app: Has the request.
        services: This container's.
        answer: Carries out the request.
        caller: Who asks. A key belongs to one organisation and one operation.
        request: What has been read from the request. It is equal for equal requests, also if they were written
            differently.
        request_decides: Whether `answer` refuses as invalid or too large only what the request itself holds, such as
            an archive. Something that a request names, an image or a pack, may be another one tomorrow.
        repeated: For an answer that holds a secret, which is never kept: returns, given the answer's body, the refusal
            that a repeat gets instead.

    Raises:
        InvalidRequest: The header is malformed, or the key was used for another request.
        RequestInProgress: The first request of this key is being carried out.
    """
    event = app.current_event
    key = read_idempotency_key(event)
    if key is None:
        return answer()
    request_id = event.request_context.request_id
    first: list[Response[str]] = []

    def act() -> Any:
        if repeated is None:
            return _record_of(answer, keep_refusals=request_decides, request_id=request_id)
        first.append(answer())
        error = repeated(json.loads(first[0].body or ""))
        # Each repeat gets its own request's id.
        return _record(json_response(error.status, {"error": error.inner(request_id="")}))

    record = services.once.answer(
        act,
        scope=f"{caller.org_id}#{event.http_method} {event.resource}{_narrowed(caller)}",
        key=key,
        fingerprint=fingerprint(request),
        context=app.lambda_context,
    )
    if first:
        return first[0]
    body = _for_this_request(record["body"], request_id)
    return Response(status_code=record["status"], headers=dict(record["headers"]), body=body)


def _record_of(answer: Callable[[], Response[str]], *, keep_refusals: bool, request_id: str) -> Any:
    """Return the answer as it is kept, a refusal of what the request holds included."""
    try:
        response = answer()
    except PackyardError as error:
        if not (keep_refusals and error.status in _ABOUT_THE_REQUEST):
            raise
        response = refusal(error, request_id=request_id)
    return _record(response)


def _narrowed(caller: Caller) -> str:
    """Return what tells a caller that is narrowed to one pack from others, whose answers are not for it."""
    return "" if caller.pack_name is None else f"#{caller.pack_name}"


def _record(response: Response[str]) -> Any:
    return {"status": response.status_code, "headers": dict(response.headers), "body": response.body}


def read_idempotency_key(event: APIGatewayProxyEvent) -> str | None:
    """Return the key that a request names, or None when it names none.

    Raises:
        InvalidRequest: The header is given more than once, empty, over 255 characters, or not visible ASCII.
    """
    keys = event.multi_value_headers.get(HEADER) or []
    if not keys:
        return None
    if len(keys) > 1 or _KEY.fullmatch(keys[0]) is None:
        raise InvalidRequest({HEADER: "must be one key of 1 to 255 visible ASCII characters, such as a UUID"})
    return keys[0]


def fingerprint(request: tuple[object, ...]) -> str:
    """Return the SHA-256, in hex, of what has been read of a request."""
    return hashlib.sha256(json.dumps(request, default=_plain, sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    match value:
        case bytes():
            return hashlib.sha256(value).hexdigest()
        case frozenset():
            return sorted(value)
        case timedelta():
            return value.total_seconds()
        case _ if is_dataclass(value) and not isinstance(value, type):
            return asdict(value)
        case _:
            raise TypeError(f"{type(value)} has no fingerprint")


def _for_this_request(body: str, request_id: str) -> str:
    """Let an error name the request that it answers (API contract, section 1)."""
    answer = json.loads(body)
    if "error" not in answer:
        return body
    answer["error"]["request_id"] = request_id
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
