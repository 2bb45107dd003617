"""GET /keys: the keys of the caller's organisation, a page at a time."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import reader
from packyard.http.keys import key_page_view, read_key_list
from packyard.http.page_limit import PAGE_QUERY

app = make_app()


@app.get("/keys")
def list_keys() -> Response[str]:
    """Answer 200 with a page, the newest key first."""
    services = bootstrap.services()
    caller = reader(
        app.current_event, api_domain=services.settings.api_domain, narrowed=True, query=PAGE_QUERY
    )
    asked = read_key_list(app.current_event, caller, services.cursors)
    page = services.api_keys.page(
        caller.org_id, limit=asked.limit, position=asked.position, pack_name=caller.pack_name
    )
    return json_response(200, key_page_view(page, caller, services.cursors))


bootstrap.prepare(
    lambda services: services.api_keys,
    lambda services: services.secrets_manager,
    lambda services: services.cursors,
)
lambda_handler = serve(app, bootstrap.invocation_begins)
