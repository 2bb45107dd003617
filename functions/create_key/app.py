"""POST /keys: a key of the caller's organisation, which allows no more than its maker may do."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import writer
from packyard.http.idempotency import answered_once
from packyard.http.keys import issued_response, made_before, read_key_request
from packyard.http.preconditions import refuse_conditions
from packyard.tenants.caller import WRITE_KEYS

app = make_app()


@app.post("/keys")
def create_key() -> Response[str]:
    """Answer 201 with the key and, this once, its secret."""
    services = bootstrap.services()
    api_domain = services.settings.api_domain
    caller = writer(app.current_event, api_domain=api_domain, narrowed=True, scope=WRITE_KEYS)
    refuse_conditions(app.current_event, why="a key has no revisions")
    asked = read_key_request(app.current_event)

    def issue() -> Response[str]:
        return issued_response(services.key_maker.issue(asked, caller=caller))

    return answered_once(
        app, services, issue, caller=caller, request=(caller.principal, asked), repeated=made_before
    )


bootstrap.prepare(lambda services: (services.once, services.key_maker))
lambda_handler = serve(app, bootstrap.invocation_begins)
