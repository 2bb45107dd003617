"""ClawHub's API, read side, with what a role or a feed serves."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.composition.bootstrap import Services
from packyard.http.app import serve
from packyard.http.caller import visitor
from packyard.http.clawhub import ClawHub, make_clawhub
from packyard.http.doors import address_of
from packyard.operations.served_packs import Selection

app = make_clawhub()


@app.get("/doors/roles/<role_id>/api/.*")
def of_role(role_id: str) -> Response[Any]:
    """Answer 200 as ClawHub does, or 302 to a zip."""
    services = bootstrap.services()
    caller = visitor(app.current_event, api_domain=services.settings.api_domain)
    return _answer(services, services.served_packs.of_role(role_id, caller=caller))


@app.get("/f/<secret>/api/.*")
def of_feed(secret: str) -> Response[Any]:
    """Answer as for a role; 404 to who has no feed's secret."""
    services = bootstrap.services()
    return _answer(services, services.feed_door.selection(secret, address=address_of(app.current_event)))


def _answer(services: Services, selection: Selection) -> Response[Any]:
    hub = ClawHub(selection=selection, served=services.served_packs, files=services.served_files)
    return hub.response(app.current_event)


bootstrap.prepare(lambda services: (services.feed_door, services.served_files))
lambda_handler = serve(app, bootstrap.invocation_begins)
