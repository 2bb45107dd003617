"""GET /packs/{id}/revisions: the history of a pack, for the organisation that owns it."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import reader
from packyard.http.page_limit import PAGE_QUERY, read_page_request
from packyard.http.revisions import history_view
from packyard.operations.owned_pack import owned_pack
from packyard.store import history

app = make_app()


@app.get("/packs/<pack_id>/revisions")
def list_revisions(pack_id: str) -> Response[str]:
    """Answer 200 with a page of revisions; 404 to other organisations, since entries name actors."""
    services = bootstrap.services()
    caller = reader(
        app.current_event, api_domain=services.settings.api_domain, narrowed=True, query=PAGE_QUERY
    )
    binding = history.binding(org_id=caller.org_id, pack_id=pack_id)
    asked = read_page_request(app.current_event, binding, services.cursors)
    pack = owned_pack(pack_id, actor=caller, packs=services.packs)
    page = history.list_revisions(services.table, pack_id=pack.id, limit=asked.limit, position=asked.position)
    return json_response(200, history_view(page, binding, services.cursors))


bootstrap.prepare(
    lambda services: services.packs,
    lambda services: services.secrets_manager,
    lambda services: services.cursors,
)
lambda_handler = serve(app, bootstrap.invocation_begins)
