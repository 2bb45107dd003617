"""GET /events: what the caller's organisation has accepted, a page at a time."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import reader
from packyard.http.events import QUERY, event_page_view, read_events_request
from packyard.store.event_pages import list_events as page_of
from packyard.tenants.caller import READ_AUDIT

app = make_app()


@app.get("/events")
def list_events() -> Response[str]:
    """Answer 200 with a page: the newest event first, or the oldest first after an id."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain, scope=READ_AUDIT, query=QUERY)
    asked = read_events_request(app.current_event, caller, services.cursors)
    page = page_of(
        services.table,
        org_id=caller.org_id,
        filters=asked.filters,
        limit=asked.limit,
        position=asked.position,
        now=services.clock(),
    )
    return json_response(200, event_page_view(page, asked.filters, caller, services.cursors))


bootstrap.prepare(
    lambda services: services.table,
    lambda services: services.secrets_manager,
    lambda services: services.cursors,
)
lambda_handler = serve(app, bootstrap.invocation_begins)
