"""GET /agent-roles: the roles of the caller's organisation."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import reader
from packyard.http.page_limit import PAGE_QUERY, read_page_request
from packyard.http.role_lists import roles_view
from packyard.operations.list_roles import roles_page
from packyard.store.role_lists import roles_binding

app = make_app()


@app.get("/agent-roles")
def list_roles() -> Response[str]:
    """Answer 200 with a page of roles."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain, query=PAGE_QUERY)
    binding = roles_binding(org_id=caller.org_id)
    asked = read_page_request(app.current_event, binding, services.cursors)
    page = roles_page(
        services.table,
        caller=caller,
        limit=asked.limit,
        position=asked.position,
        packs=services.pack_revisions,
    )
    return json_response(200, roles_view(page, binding, services.cursors))


bootstrap.prepare(
    lambda services: services.pack_revisions,
    lambda services: services.secrets_manager,
    lambda services: services.cursors,
)
lambda_handler = serve(app, bootstrap.invocation_begins)
