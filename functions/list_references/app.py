"""GET /packs/{id}/references: the roles of the caller's organisation that reference a pack."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import reader
from packyard.http.page_limit import PAGE_QUERY, read_page_request
from packyard.http.references import references_view
from packyard.operations.references import references_of
from packyard.store.references import binding

app = make_app()


@app.get("/packs/<pack_id>/references")
def list_references(pack_id: str) -> Response[str]:
    """Answer 200 with a page of roles, and for the pack's owner how many roles of others there are."""
    services = bootstrap.services()
    caller = reader(
        app.current_event, api_domain=services.settings.api_domain, narrowed=True, query=PAGE_QUERY
    )
    bound = binding(org_id=caller.org_id, pack_id=pack_id)
    asked = read_page_request(app.current_event, bound, services.cursors)
    found = references_of(services.table, pack_id, caller=caller, limit=asked.limit, position=asked.position)
    return json_response(200, references_view(found, bound, services.cursors))


bootstrap.prepare(
    lambda services: services.table,
    lambda services: services.secrets_manager,
    lambda services: services.cursors,
)
lambda_handler = serve(app, bootstrap.invocation_begins)
