"""Reading a request's body as bytes, of bounded size."""

import base64
import binascii

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest, PayloadTooLarge
from packyard.packs.archive.limits import MIB


def refuse_form(event: APIGatewayProxyEvent) -> None:
    """Refuse a form where a file's bytes are expected: the form's boundaries would become part of the file.

    Raises:
        InvalidRequest: On `body`.
    """
    if (event.headers.get("Content-Type") or "").strip().lower().startswith("multipart/form-data"):
        raise InvalidRequest(
            {
                "body": "is a form; send the bytes of the file and nothing else (curl -T FILE, --data-binary @FILE)"
            }
        )


def read_bytes(event: APIGatewayProxyEvent, *, max_bytes: int, larger: str) -> bytes:
    """Return the body; an absent body is empty.

    Args:
        event: The gateway's event. It has every body in base64 (decision 16).
        max_bytes: The largest body, decoded.
        larger: A sentence that says what to do with a larger one.

    Raises:
        PayloadTooLarge: It is over `max_bytes`.
        InvalidRequest: On `body`: the base64 is not valid.
    """
    text = event.body or ""
    too_large = PayloadTooLarge(
        f"The body is over {max_bytes} bytes ({max_bytes / MIB:.1f} MiB), the most that one request can carry. {larger}"
    )
    if not event.is_base64_encoded:
        # A body that is not in base64 has gone through the gateway as text, which keeps only ASCII unchanged.
        body = text.encode("utf-8", "surrogatepass")
    else:
        if len(text) > (max_bytes + 2) // 3 * 4:
            raise too_large
        try:
            body = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise InvalidRequest({"body": "is not valid base64"}) from None
    if len(body) > max_bytes:
        raise too_large
    return body
