"""What `skills` (npm) asks for below a role or a feed, and the zips that three doors lead to."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.agent_skills import agent_skills_response
from packyard.http.app import make_app, serve
from packyard.http.caller import visitor
from packyard.http.doors import address_of

app = make_app()


@app.get("/doors/roles/<role_id>/.*")
def of_role(role_id: str) -> Response[Any]:
    """Answer 200 with an index, 302 to a zip; 304 after one read when the index is known."""
    services = bootstrap.services()
    caller = visitor(app.current_event, api_domain=services.settings.api_domain)
    selection = services.served_packs.of_role(role_id, caller=caller)
    return agent_skills_response(app.current_event, selection, served=services.served_packs)


@app.get("/f/<secret>/.*")
def of_feed(secret: str) -> Response[Any]:
    """Answer as for a role; 404 to who has no feed's secret."""
    services = bootstrap.services()
    selection = services.feed_door.selection(secret, address=address_of(app.current_event))
    return agent_skills_response(app.current_event, selection, served=services.served_packs)


bootstrap.prepare(lambda services: services.feed_door)
lambda_handler = serve(app, bootstrap.invocation_begins)
