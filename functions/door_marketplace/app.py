"""Claude Code's plugin marketplace of a role or a feed."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.composition.bootstrap import Services
from packyard.http.app import make_app, serve
from packyard.http.caller import visitor
from packyard.http.doors import address_of
from packyard.http.marketplace import marketplace_response
from packyard.operations.served_packs import Selection

app = make_app()


@app.get("/doors/roles/<role_id>/marketplace.json")
def of_role(role_id: str) -> Response[str]:
    """Answer 200 with the marketplace; 304 after one read when it is known."""
    services = bootstrap.services()
    caller = visitor(app.current_event, api_domain=services.settings.api_domain)
    return _answer(services, services.served_packs.of_role(role_id, caller=caller))


@app.get("/f/<secret>/marketplace.json")
def of_feed(secret: str) -> Response[str]:
    """Answer as for a role; 404 to who has no feed's secret."""
    services = bootstrap.services()
    return _answer(services, services.feed_door.selection(secret, address=address_of(app.current_event)))


def _answer(services: Services, selection: Selection) -> Response[str]:
    return marketplace_response(
        app.current_event,
        selection,
        served=services.served_packs,
        public_url=services.settings.public_url,
    )


bootstrap.prepare(lambda services: services.feed_door)
lambda_handler = serve(app, bootstrap.invocation_begins)
