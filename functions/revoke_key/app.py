"""DELETE /keys/{id}: revokes a key of the caller's organisation."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import writer
from packyard.http.keys import key_view
from packyard.http.preconditions import refuse_conditions
from packyard.tenants.caller import WRITE_KEYS

app = make_app()


@app.delete("/keys/<key_id>")
def revoke_key(key_id: str) -> Response[str]:
    """Answer 200 with the key, which no request can use any more; a repeat changes nothing."""
    services = bootstrap.services()
    api_domain = services.settings.api_domain
    caller = writer(app.current_event, api_domain=api_domain, narrowed=True, create=False, scope=WRITE_KEYS)
    refuse_conditions(app.current_event, why="a key has no revisions")
    return json_response(200, key_view(services.key_maker.revoke(key_id, caller=caller)))


bootstrap.prepare(lambda services: services.key_maker)
lambda_handler = serve(app, bootstrap.invocation_begins)
