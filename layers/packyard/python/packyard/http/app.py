"""What makes a function an HTTP operation: routing, the error envelope, the request id, one log line.

`make_app()` returns a resolver that answers every failure with the contract's envelope (section 1). `serve()` returns
the Lambda handler of a resolver. Between the two, a function adds its route, and nothing else.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError, ServiceError
from aws_lambda_powertools.utilities.typing import LambdaContext

from packyard.aws import figures
from packyard.errors import InternalError, MethodNotAllowed, PackyardError, RouteNotFound
from packyard.http.entity_tags import conditional
from packyard.http.source import source_of

JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"
REQUEST_ID: Final = "X-Request-Id"
# The parameter of paths that holds the secret of an address.
ADDRESS: Final = "secret"
_SERVER_ERROR: Final = 500

# The body of an error: of JSON, or plain text.
Envelope = Callable[[PackyardError, str], Mapping[str, Any] | str]
Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]
Begins = Callable[[float, str, Mapping[str, str], str], None]

logger = Logger()


def make_app(stage: str = "v1", envelope: Envelope | None = None) -> APIGatewayRestResolver:
    """Return a resolver that answers every failure with an envelope, and reads with an entity tag.

    Args:
        stage: The stage's name. It is also the base path of custom domains, and REST APIs leave that in the path.
        envelope: Makes the body of an error, given the request's id; by default the error envelope of the contract.
    """
    app = APIGatewayRestResolver(strip_prefixes=[f"/{stage}"])
    app.use(middlewares=[conditional])

    def refuse(error: PackyardError) -> Response[str]:
        return refusal(error, request_id=app.current_event.request_context.request_id, envelope=envelope)

    @app.exception_handler(PackyardError)
    def on_refusal(error: PackyardError) -> Response[str]:
        if error.status >= _SERVER_ERROR:
            logger.warning(error.message, exc_info=error)
        return refuse(error)

    @app.exception_handler(ServiceError)
    def on_routing_error(error: ServiceError) -> Response[str]:
        return refuse(RouteNotFound() if isinstance(error, NotFoundError) else MethodNotAllowed())

    @app.exception_handler(Exception)
    def on_fault(error: Exception) -> Response[str]:
        logger.error("unforeseen failure", exc_info=error)
        return refuse(InternalError())

    return app


def serve(app: APIGatewayRestResolver, begins: Begins | None = None) -> Handler:
    """Return the Lambda handler of `app`: each request is answered with its id and logged once.

    Args:
        app: The resolver.
        begins: Called at the start of each invocation with the seconds for which it may run, the request's id, and what
            is known of the run of CI that makes it, and where its sender says that the content comes from.
    """

    @logger.inject_lambda_context(correlation_id_path="requestContext.requestId", clear_state=True)
    def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        if begins is not None:
            seconds = context.get_remaining_time_in_millis() / 1000
            begins(seconds, event["requestContext"]["requestId"], _ci_of(event), source_of(event))
        answer = app.resolve(event, context)
        answer["multiValueHeaders"][REQUEST_ID] = [event["requestContext"]["requestId"]]
        logger.info(
            "answered",
            extra={
                "method": event["httpMethod"],
                "route": event["resource"],
                "path": _without_secret(event),
                "status": answer["statusCode"],
            },
        )
        return answer

    return handle


def json_response(
    status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Response[str]:
    """Return `body` as UTF-8 JSON."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(status_code=status, content_type=JSON, body=text, headers=dict(headers or {}))


def refusal(error: PackyardError, *, request_id: str, envelope: Envelope | None = None) -> Response[str]:
    """Return an error as an answer, count the refusal, and add its code to the request's log line.

    Args:
        error: What was refused, or failed.
        request_id: The id under which the logs can be searched.
        envelope: As for `make_app`.
    """
    logger.append_keys(code=error.code)
    figures.count("Refusals", code=error.code)
    seconds = error.retry_after_seconds
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    body = (envelope or _envelope)(error, request_id)
    if isinstance(body, str):
        return Response(error.status, TEXT, body, dict(headers))
    return json_response(error.status, body, headers)


def _without_secret(event: Mapping[str, Any]) -> str:
    """Return the path of a request without the secret of a feed's address (decision 137)."""
    secret = (event.get("pathParameters") or {}).get(ADDRESS)
    path: str = event["path"]
    # The gateway decodes parameters, and the path as well; where they differ, the route says enough.
    return path if not secret else path.replace(secret, "-") if secret in path else event["resource"]


def _ci_of(event: Mapping[str, Any]) -> Mapping[str, str]:
    """Return what the authorizer knows of the run of CI that makes a request; nothing if none does."""
    context = event["requestContext"].get("authorizer") or {}
    facts: Mapping[str, str] = json.loads(context["ci"]) if "ci" in context else {}
    return facts


def _envelope(error: PackyardError, request_id: str) -> dict[str, Any]:
    return {"error": error.inner(request_id)}
