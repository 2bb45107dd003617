"""GET /packs: the packs that the caller can see, a page at a time."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import reader
from packyard.http.listing import QUERY, page_view, read_listing
from packyard.operations.list_packs import list_visible, load_search

app = make_app()


@app.get("/packs")
def list_packs() -> Response[str]:
    """Answer 200 with a page and, unless it is the last, the cursor of the next."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain, narrowed=True, query=QUERY)
    asked = read_listing(app.current_event, caller, services.cursors)
    page = list_visible(
        services.table,
        org_id=caller.org_id,
        filters=asked.filters,
        limit=asked.limit,
        position=asked.position,
    )
    return json_response(200, page_view(page, asked.filters, caller, services.cursors))


bootstrap.prepare(
    lambda services: services.secrets_manager, lambda services: services.cursors, lambda _: load_search()
)
lambda_handler = serve(app, bootstrap.invocation_begins)
