"""DELETE /agent-roles/{role_id}: deletes a role and lets go of its packs."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import writer
from packyard.http.preconditions import read_if_match
from packyard.tenants.caller import WRITE_ROLES

app = make_app()


@app.delete("/agent-roles/<role_id>")
def delete_role(role_id: str) -> Response[str]:
    """Answer 200 when the role is gone; 404 when there is no such role."""
    services = bootstrap.services()
    caller = writer(
        app.current_event, api_domain=services.settings.api_domain, create=False, scope=WRITE_ROLES
    )
    services.role_setter.delete(role_id, caller=caller, if_match=read_if_match(app.current_event))
    return json_response(200, {"status": "deleted"})


bootstrap.prepare(lambda services: services.role_setter)
lambda_handler = serve(app, bootstrap.invocation_begins)
