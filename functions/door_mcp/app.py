"""MCP with the extension for skills, with what a role or a feed serves."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.errors import MethodNotAllowed
from packyard.http.app import make_app, serve
from packyard.http.caller import visitor
from packyard.http.mcp import McpServer

app = make_app()


@app.post("/doors/roles/<role_id>/mcp")
def of_role(role_id: str) -> Response[str]:
    """Answer 200 with an answer of JSON-RPC."""
    services = bootstrap.services()
    caller = visitor(app.current_event, api_domain=services.settings.api_domain)
    selection = services.served_packs.of_role(role_id, caller=caller)
    server = McpServer(selection=selection, served=services.served_packs, files=services.served_files)
    return server.response(app.current_event)


@app.get("/doors/roles/<role_id>/mcp")
def stream_of_role(role_id: str) -> Response[str]:  # noqa: ARG001 - of the route
    """Answer 405: there are no streams."""
    raise MethodNotAllowed


bootstrap.prepare(lambda services: (services.served_packs, services.served_files))
lambda_handler = serve(app, bootstrap.invocation_begins)
