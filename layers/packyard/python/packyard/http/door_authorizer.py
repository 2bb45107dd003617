"""The authorizer of the distribution door: it takes a REQUEST event, and denies with the challenge of the protocol.

A client without a token must learn where it gets one (RFC 9110, section 11.6.1; distribution's token specification).
API Gateway renames the header `WWW-Authenticate` of a function's answer. So the authorizer denies and passes the
challenge on as context, and the gateway response ACCESS_DENIED of the template makes 401 and the header of it. The
challenge names the host that the client has asked, since a deployment may have several.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from packyard.aws import figures
from packyard.errors import Unauthenticated
from packyard.http.authorizer import AuthorizerHandler, decision
from packyard.tenants.pull_token import PullToken

logger = Logger()

_BEARER: Final = "bearer "
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,255}(:[0-9]{1,5})?")
_SCHEMES: Final = frozenset({"http", "https"})


def serve_door_authorizer(
    resolve: Callable[[str], PullToken], begins: Callable[[float, str], None]
) -> AuthorizerHandler:
    """Return the Lambda handler of a REQUEST authorizer.

    Args:
        resolve: Turns a bearer token into what it says, or raises `Unauthenticated`. Any other error reaches API
            Gateway, whose answer our template makes 503.
        begins: Called at the start of each invocation with the seconds for which it may run, and its id.
    """

    @logger.inject_lambda_context(clear_state=True)
    def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        begins(context.get_remaining_time_in_millis() / 1000, context.aws_request_id)
        headers = {name.lower(): value for name, value in event["headers"].items()}
        sent = headers.get("authorization", "")
        try:
            token = resolve(_bearer(sent))
        except Unauthenticated as refusal:
            figures.count("Refusals", code=refusal.code)
            return decision(
                "Deny",
                event["methodArn"],
                principal="nobody",
                context={"challenge": challenge(headers, invalid=bool(sent))},
            )
        except Exception:
            figures.count("AuthorizerFailures")
            raise
        return decision(
            "Allow",
            event["methodArn"],
            principal=token.principal,
            context={"org_id": token.org_id, "role_id": token.role_id, "principal": token.principal},
        )

    return handle


def _bearer(sent: str) -> str:
    """Return the token in an Authorization header."""
    if not sent.lower().startswith(_BEARER):
        raise Unauthenticated
    return sent[len(_BEARER) :].strip()


def challenge(headers: dict[str, str], *, invalid: bool) -> str:
    """Return the challenge for the host that was asked (RFC 6750, section 3).

    Args:
        headers: The request's, their names in lower case.
        invalid: Whether a credential was sent, which was refused.
    """
    host = headers.get("host", "")
    if _HOST.fullmatch(host) is None:
        return "Bearer"
    scheme = headers.get("x-forwarded-proto", "https")
    url = f"{scheme if scheme in _SCHEMES else 'https'}://{host}/v2/token"
    return f'Bearer realm="{url}",service="{host}"' + (',error="invalid_token"' if invalid else "")
