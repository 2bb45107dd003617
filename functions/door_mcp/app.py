"""MCP with the extension for skills, with what a role or a feed serves."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.composition.bootstrap import Services
from packyard.errors import MethodNotAllowed
from packyard.http.app import make_app, serve
from packyard.http.caller import visitor
from packyard.http.doors import address_of
from packyard.http.mcp import McpServer
from packyard.operations.served_packs import Selection

app = make_app()


@app.post("/doors/roles/<role_id>/mcp")
def of_role(role_id: str) -> Response[str]:
    """Answer 200 with an answer of JSON-RPC."""
    services = bootstrap.services()
    caller = visitor(app.current_event, api_domain=services.settings.api_domain)
    return _answer(services, services.served_packs.of_role(role_id, caller=caller))


@app.post("/f/<secret>/mcp")
def of_feed(secret: str) -> Response[str]:
    """Answer as for a role; 404 to who has no feed's secret."""
    services = bootstrap.services()
    return _answer(services, services.feed_door.selection(secret, address=address_of(app.current_event)))


@app.get("/doors/roles/<role_id>/mcp")
def stream_of_role(role_id: str) -> Response[str]:  # noqa: ARG001 - of the route
    """Answer 405 to whoever is signed in: there are no streams."""
    visitor(app.current_event, api_domain=bootstrap.services().settings.api_domain)
    raise MethodNotAllowed


@app.get("/f/<secret>/mcp")
def stream_of_feed(secret: str) -> Response[str]:
    """Answer 405; 404 to who has no feed's secret."""
    services = bootstrap.services()
    services.feed_door.selection(secret, address=address_of(app.current_event))
    raise MethodNotAllowed


def _answer(services: Services, selection: Selection) -> Response[str]:
    server = McpServer(selection=selection, served=services.served_packs, files=services.served_files)
    return server.response(app.current_event)


bootstrap.prepare(lambda services: (services.feed_door, services.served_files))
lambda_handler = serve(app, bootstrap.invocation_begins)
