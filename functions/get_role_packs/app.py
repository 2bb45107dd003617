"""GET /agent-roles/{role_id}/packs: the packs of a role, in their order."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import reader
from packyard.http.roles import role_response

app = make_app()


@app.get("/agent-roles/<role_id>/packs")
def get_role_packs(role_id: str) -> Response[str]:
    """Answer 200 with the list, which may be empty, or 404 when there is no such role."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain)
    return role_response(services.role_reader.get(role_id, caller=caller))


bootstrap.prepare(lambda services: services.role_reader)
lambda_handler = serve(app, bootstrap.invocation_begins)
