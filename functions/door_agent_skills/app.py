"""What `skills` (npm) asks for below a role or a feed, and the zips that three doors lead to."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.agent_skills import agent_skills_response
from packyard.http.app import make_app, serve
from packyard.http.caller import visitor

app = make_app()


@app.get("/doors/roles/<role_id>/.*")
def of_role(role_id: str) -> Response[Any]:
    """Answer 200 with an index, 302 to a zip; 304 after one read when the index is known."""
    services = bootstrap.services()
    caller = visitor(app.current_event, api_domain=services.settings.api_domain)
    selection = services.served_packs.of_role(role_id, caller=caller)
    return agent_skills_response(app.current_event, selection, served=services.served_packs)


bootstrap.prepare(lambda services: services.served_packs)
lambda_handler = serve(app, bootstrap.invocation_begins)
