"""Claude Code's plugin marketplace of a role or a feed."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import visitor
from packyard.http.marketplace import marketplace_response

app = make_app()


@app.get("/doors/roles/<role_id>/marketplace.json")
def of_role(role_id: str) -> Response[str]:
    """Answer 200 with the marketplace; 304 after one read when it is known."""
    services = bootstrap.services()
    caller = visitor(app.current_event, api_domain=services.settings.api_domain)
    selection = services.served_packs.of_role(role_id, caller=caller)
    return marketplace_response(
        app.current_event,
        selection,
        served=services.served_packs,
        public_url=services.settings.public_url,
    )


bootstrap.prepare(lambda services: services.served_packs)
lambda_handler = serve(app, bootstrap.invocation_begins)
