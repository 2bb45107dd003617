"""GET /agent-roles/{role_id}/revisions: the history of a role."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import reader
from packyard.http.page_limit import PAGE_QUERY, read_page_request
from packyard.http.role_lists import role_history_view
from packyard.store.role_lists import history_binding
from packyard.store.role_lists import list_role_revisions as revisions_of

app = make_app()


@app.get("/agent-roles/<role_id>/revisions")
def list_role_revisions(role_id: str) -> Response[str]:
    """Answer 200 with a page of revisions; 404 when there is no such role."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain, query=PAGE_QUERY)
    binding = history_binding(org_id=caller.org_id, role_id=role_id)
    asked = read_page_request(app.current_event, binding, services.cursors)
    role = services.role_reader.role(role_id, caller=caller)
    page = revisions_of(
        services.table,
        org_id=role.org_id,
        role_id=role.role_id,
        limit=asked.limit,
        position=asked.position,
    )
    return json_response(200, role_history_view(page, binding, services.cursors))


bootstrap.prepare(
    lambda services: services.role_reader,
    lambda services: services.secrets_manager,
    lambda services: services.cursors,
)
lambda_handler = serve(app, bootstrap.invocation_begins)
