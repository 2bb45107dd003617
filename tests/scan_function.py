"""The function that scans, as the service's tests invoke it: its own handler, behind a Lambda client."""

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from tests.aws import session
from tests.engine.points import aws_response

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from tests.engine.wire import Wire

SCAN_FUNCTION: Final = "arn:aws:lambda:eu-central-1:123456789012:function:scan-content:live"


class Context:
    """What Lambda tells the function about itself."""

    function_name = "scan-content"
    memory_limit_in_mb = 1769
    invoked_function_arn = SCAN_FUNCTION
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Return enough."""
        return 7000


def scan(event: dict[str, Any]) -> Any:
    """Invoke the function's handler."""
    return import_module("functions.scan_content.app").lambda_handler(event, Context())


def scans_in_process(wire: "Wire") -> Any:
    """Return a Lambda client whose invocations run the handler in this process.

    They pass by the wire while that is laid.
    """

    def answer(request: "AWSPreparedRequest") -> "AWSResponse":
        body = request.body if isinstance(request.body, bytes) else str(request.body).encode()
        try:
            return aws_response(request, 200, json.dumps(scan(json.loads(body))).encode())
        except Exception as error:  # noqa: BLE001 - Lambda answers so whatever it is
            failed = aws_response(request, 200, json.dumps({"errorMessage": str(error)}).encode())
            failed.headers["X-Amz-Function-Error"] = "Unhandled"
            return failed

    def unless_laid(request: "AWSPreparedRequest", **_: Any) -> "AWSResponse | None":
        return None if wire.is_laid else answer(request)

    # Its INIT, in which it compiles its rules, is before the first request, as in Lambda.
    import_module("functions.scan_content.app")
    wire.servers["lambda"] = answer
    client: Any = session().client(
        "lambda", config=Config(retries={"mode": "standard", "total_max_attempts": 1})
    )
    client.meta.events.register_first("before-send.lambda.Invoke", unless_laid)
    return client
