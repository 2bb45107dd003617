"""moto's DynamoDB without the way of a request through a web server: what it answers stays the same.

For each request moto compares the address with those of all services, makes a request of werkzeug's of it, reads the
body as a form and by the shapes of the API, and draws an id by chance. What reads and writes items needs none of
this: a header names the operation, and the body is the parameters in JSON. All other requests, and those with bytes
among their values, go the long way.

botocore cleans each part of its user agent twice for each request, character by character. Here it does so once.
"""

import json
from functools import lru_cache
from typing import Any, Final

from botocore import useragent
from botocore.awsrequest import AWSPreparedRequest
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.dynamodb.responses import DynamoHandler
from werkzeug.exceptions import HTTPException

_TARGET: Final = "DynamoDB_20120810."
_OPERATIONS: Final = {
    _TARGET + name: method
    for name, method in (
        ("BatchGetItem", "batch_get_item"),
        ("BatchWriteItem", "batch_write_item"),
        ("DeleteItem", "delete_item"),
        ("GetItem", "get_item"),
        ("PutItem", "put_item"),
        ("Query", "query"),
        ("Scan", "scan"),
        ("TransactGetItems", "transact_get_items"),
        ("TransactWriteItems", "transact_write_items"),
        ("UpdateItem", "update_item"),
    )
}
_clean: Final[Any] = lru_cache(maxsize=1_024)(vars(useragent)["sanitize_user_agent_string_component"])
MOTOS_WAY: Final = BotocoreStubber.process_request


def speed_up() -> None:
    """Put quicker ways in the place of moto's and botocore's, in this process."""
    useragent.sanitize_user_agent_string_component = _clean
    BotocoreStubber.process_request = _process  # type: ignore[method-assign]


class _Handler(DynamoHandler):
    """moto's handler, made of what its operations read of a request."""

    def __init__(self, target: str, request: AWSPreparedRequest, body: bytes) -> None:
        super().__init__()
        # Authorization: AWS4-HMAC-SHA256 Credential=key/date/region/service/aws4_request, ...
        signed = request.headers["Authorization"]
        signed = signed.decode() if isinstance(signed, bytes) else signed
        self.region = signed.split("/")[2]
        self.headers = {"Content-Type": "application/x-amz-json-1.0", "x-amz-target": target}
        self.querystring = {}
        self.response_headers = {}
        self.params = self.body = json.loads(body)
        self.current_account = self.get_current_account()

    def answer(self, method: str) -> Any:
        try:
            result = getattr(self, method)()
        except ServiceException as error:
            return self.serialized(ActionResult(error))
        except HTTPException as error:
            return error.code, dict(error.get_headers() or []), error.description
        return self.serialized(result)


def _process(self: BotocoreStubber, request: AWSPreparedRequest) -> Any:
    target = request.headers.get("X-Amz-Target", b"")
    target = target.decode() if isinstance(target, bytes) else target
    method = _OPERATIONS.get(target)
    if method is None or "Authorization" not in request.headers:
        return MOTOS_WAY(self, request)
    body = request.body if isinstance(request.body, bytes) else str(request.body).encode()
    if b'"B"' in body or b'"BS"' in body:
        return MOTOS_WAY(self, request)
    return _Handler(target, request, body).answer(method)
