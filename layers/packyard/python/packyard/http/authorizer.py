"""What makes a function the gateway's authorizer: it takes a TOKEN event, and returns a policy and the caller.

The policy allows the whole stage. API Gateway may cache a policy and apply it to other methods with the same
credential, so that a policy for one method would refuse the next one (AWS knowledge centre,
"api-gateway-lambda-authorization-errors"). The operations decide what a caller may do.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from packyard.aws import figures
from packyard.errors import Unauthenticated
from packyard.http.caller import to_context
from packyard.tenants.caller import Caller

logger = Logger()

AuthorizerHandler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


class Unauthorized(Exception):
    """Tells API Gateway to answer 401, which it does for exactly this message."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def serve_authorizer(
    resolve: Callable[[str], Caller], begins: Callable[[float, str], None]
) -> AuthorizerHandler:
    """Return the Lambda handler of a TOKEN authorizer.

    Args:
        resolve: Turns an Authorization header into a caller, or raises `Unauthenticated`. Any other error reaches API
            Gateway, which answers it with `AUTHORIZER_CONFIGURATION_ERROR` or `AUTHORIZER_FAILURE`: our template makes
            both 503.
        begins: Called at the start of each invocation with the seconds for which it may run, and its id.
    """

    @logger.inject_lambda_context(clear_state=True)
    def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        begins(context.get_remaining_time_in_millis() / 1000, context.aws_request_id)
        try:
            caller = resolve(event["authorizationToken"])
        except Unauthenticated as refusal:
            logger.info("refused", extra={"code": refusal.code, "reason": str(refusal.__cause__ or refusal)})
            figures.count("Refusals", code=refusal.code)
            raise Unauthorized from None
        except Exception:
            # A metric of our own, since Lambda's metric of errors counts every refused credential as well.
            figures.count("AuthorizerFailures")
            raise
        return decision("Allow", event["methodArn"], principal=caller.principal, context=to_context(caller))

    return handle


def decision(
    effect: Literal["Allow", "Deny"], method_arn: str, *, principal: str, context: Mapping[str, str]
) -> dict[str, Any]:
    """Return an authorizer's answer for the whole stage.

    Args:
        effect: Whether the stage may be called.
        method_arn: The method that is called, from the event.
        principal: Who calls.
        context: What the gateway passes on.
    """
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": _stage_arn(method_arn)}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": dict(context),
    }


def _stage_arn(method_arn: str) -> str:
    """Return `arn:…:<api>/<stage>/*` for `arn:…:<api>/<stage>/<verb>/<path>`."""
    api, stage, *_ = method_arn.split("/")
    return f"{api}/{stage}/*"
