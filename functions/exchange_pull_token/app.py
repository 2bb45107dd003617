"""GET /v2/token: the distribution door's token server, which changes a login into a bearer token."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import serve
from packyard.http.distribution import login_of, make_door, token_response

app = make_door()


@app.get("/token")
def exchange_pull_token() -> Response[str]:
    """Answer 200 with a token, or 401.

    Clients state a scope, which is not read: a token opens what its role pins, and the other requests say what that is.
    """
    event = app.current_event
    address = event.request_context.identity.source_ip
    return token_response(bootstrap.services().pull_tokens.bearer(*login_of(event), address=address))


bootstrap.prepare(lambda services: (services.pull_tokens, services.secrets_manager))
lambda_handler = serve(app, bootstrap.invocation_begins)
