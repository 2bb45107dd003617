"""Reading the roles of the caller's organisation: their list, the packs of one, and its history.

Each route loads its own: a function that starts is not to wait for the others.
"""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.composition.bootstrap import Services
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import reader
from packyard.http.page_limit import PAGE_QUERY, read_page_request

app = make_app()


@app.get("/agent-roles")
def list_roles() -> Response[str]:
    """Answer 200 with a page of roles."""
    from packyard.http.role_lists import roles_view
    from packyard.operations.list_roles import roles_page
    from packyard.store.role_lists import roles_binding

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


@app.get("/agent-roles/<role_id>/packs")
def get_role_packs(role_id: str) -> Response[str]:
    """Answer 200 with the packs in their order, of which there may be none; 404 when there is no such role."""
    from packyard.http.roles import role_response

    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain)
    return role_response(services.role_reader.get(role_id, caller=caller))


@app.get("/agent-roles/<role_id>/revisions")
def list_role_revisions(role_id: str) -> Response[str]:
    """Answer 200 with a page of the role's history; 404 when there is no such role."""
    from packyard.http.role_lists import role_history_view
    from packyard.store import role_lists

    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain, query=PAGE_QUERY)
    binding = role_lists.history_binding(org_id=caller.org_id, role_id=role_id)
    asked = read_page_request(app.current_event, binding, services.cursors)
    role = services.role_reader.role(role_id, caller=caller)
    page = role_lists.list_role_revisions(
        services.table,
        org_id=role.org_id,
        role_id=role.role_id,
        limit=asked.limit,
        position=asked.position,
    )
    return json_response(200, role_history_view(page, binding, services.cursors))


def _load_routes(_: Services) -> None:
    from packyard.http import role_lists, roles  # noqa: F401 - the first of each
    from packyard.operations import list_roles  # noqa: F401


bootstrap.prepare(
    _load_routes,
    lambda services: (services.role_reader, services.pack_revisions),
    lambda services: services.secrets_manager,
    lambda services: services.cursors,
)
lambda_handler = serve(app, bootstrap.invocation_begins)
