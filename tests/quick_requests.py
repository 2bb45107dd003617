"""moto's DynamoDB without the way of a request through a web server: what it answers stays the same.

For each request moto compares the address with those of all services, makes a request of werkzeug's of it, reads the
body as a form and by the shapes of the API, and draws an id by chance. What reads and writes items needs none of
this: a header names the operation, and the body is the parameters in JSON. All other requests, and those with bytes
among their values, go the long way.

botocore states its user agent twice for each request, and cleans each part of it character by character. Here it makes
a text of the same parts once. Nobody checks the signatures of what moto answers, so they are not computed; what a
client signs for others is.

moto looks for the service of any other request among the addresses of all services. Here it looks once for each host
of S3, and once for each address elsewhere.
"""

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from botocore import useragent
from botocore.auth import SIGV4_TIMESTAMP, S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import get_current_datetime
from botocore.context import get_context
from botocore.useragent import UserAgentString
from moto.backend_index import backend_url_patterns
from moto.backends import get_backend
from moto.core.base_backend import BackendDict
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.exceptions import ServiceException
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.request import normalize_request
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
_MOTOS_HOST: Final = re.compile(r"https://[^/]+\.amazonaws\.com/")
_BUCKETS: Final = re.compile(r"https://[\w-]+\.s3\.[^/]+/")
MOTOS_WAY: Final = BotocoreStubber.process_request
SIGNED: Final[Any] = SigV4Auth.add_auth
NAMED: Final[Any] = UserAgentString.to_string
_AGENTS: Final[dict[tuple[object, ...], str]] = {}
_MOST_AGENTS: Final = 1_024


def speed_up() -> None:
    """Put quicker ways in the place of moto's and botocore's, in this process."""
    useragent.sanitize_user_agent_string_component = _clean
    UserAgentString.to_string = _agent  # type: ignore[method-assign]
    SigV4Auth.add_auth = _sign  # type: ignore[method-assign]
    BotocoreStubber.process_request = _process  # type: ignore[method-assign]


def _agent(self: Any) -> str:
    """Return the text for a client and what the call uses, made once."""
    context = get_context()
    told = self._session_user_agent_name, self._session_user_agent_version, self._session_user_agent_extra
    features = frozenset(self._client_features or ()), frozenset(context.features if context else ())
    key = (self._client_config, *told, *features)
    if key not in _AGENTS:
        if len(_AGENTS) >= _MOST_AGENTS:
            _AGENTS.clear()
        _AGENTS[key] = NAMED(self)
    return _AGENTS[key]


def _sign(self: Any, request: Any) -> None:
    """Say who asks moto, in the form of a signature that nobody computes. What goes elsewhere is signed."""
    # The classes beside these make URLs and forms, which other programs get.
    if (
        type(self) not in (SigV4Auth, S3SigV4Auth)
        or not _MOTOS_HOST.match(request.url)
        or not self.credentials
    ):
        SIGNED(self, request)
        return
    request.context["timestamp"] = get_current_datetime().strftime(SIGV4_TIMESTAMP)
    self._modify_request_before_signing(request)
    credential = f"AWS4-HMAC-SHA256 Credential={self.scope(request)}"
    request.headers["Authorization"] = f"{credential}, SignedHeaders=host, Signature={'0' * 64}"


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
        return _process_other(self, request)
    body = request.body if isinstance(request.body, bytes) else str(request.body).encode()
    if b'"B"' in body or b'"BS"' in body:
        return MOTOS_WAY(self, request)
    return _Handler(target, request, body).answer(method)


def _process_other(self: BotocoreStubber, request: AWSPreparedRequest) -> Any:
    url = request.url.partition("?")[0]
    bucket = _BUCKETS.match(url)
    act = _found(bucket[0] + "key") if bucket and len(url) > len(bucket[0]) else _found(url)
    if act is None:
        return MOTOS_WAY(self, request)
    asked = normalize_request(request)
    try:
        return act(asked, asked.raw_url, asked.headers)
    except HTTPException as error:
        return error.code, error.get_headers(), error.get_body()


@lru_cache(maxsize=256)
def _found(url: str) -> Callable[..., Any] | None:
    """Return what answers an address, as moto looks for it; None if that is not the first service that it finds."""
    if not _MOTOS_HOST.match(url):
        return None
    service = next((name for name, pattern in backend_url_patterns if pattern.match(url)), None)
    if service is None:
        return None
    backends: Any = get_backend(service)  # type: ignore[call-overload]
    if isinstance(backends, BackendDict):
        of_account = backends[DEFAULT_ACCOUNT_ID]
        backend = of_account["us-east-1" if "us-east-1" in of_account else "aws"]
    else:
        backend = backends["global"]
    return next((act for pattern, act in backend.urls.items() if re.match(pattern, url)), None)
