"""The API keys of the caller's organisation: making, listing and revoking them."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import reader, writer
from packyard.http.idempotency import answered_once
from packyard.http.keys import (
    issued_response,
    key_page_view,
    key_view,
    made_before,
    read_key_list,
    read_key_request,
)
from packyard.http.page_limit import PAGE_QUERY
from packyard.http.preconditions import refuse_conditions
from packyard.tenants.caller import WRITE_KEYS

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


@app.post("/keys")
def create_key() -> Response[str]:
    """Answer 201 with the key and, this once, its secret. It allows no more than its maker may do."""
    services = bootstrap.services()
    api_domain = services.settings.api_domain
    caller = writer(app.current_event, api_domain=api_domain, narrowed=True, scope=WRITE_KEYS)
    refuse_conditions(app.current_event, why="a key has no revisions")
    asked = read_key_request(app.current_event)

    def issue() -> Response[str]:
        return issued_response(services.key_maker.issue(asked, caller=caller))

    return answered_once(
        app, services, issue, caller=caller, request=(caller.principal, asked), repeated=made_before
    )


@app.delete("/keys/<key_id>")
def revoke_key(key_id: str) -> Response[str]:
    """Answer 200 with the key, which no request can use any more; a repeat changes nothing."""
    services = bootstrap.services()
    api_domain = services.settings.api_domain
    caller = writer(app.current_event, api_domain=api_domain, narrowed=True, create=False, scope=WRITE_KEYS)
    refuse_conditions(app.current_event, why="a key has no revisions")
    return json_response(200, key_view(services.key_maker.revoke(key_id, caller=caller)))


bootstrap.prepare(
    lambda services: (services.once, services.key_maker),
    lambda services: services.secrets_manager,
    lambda services: services.cursors,
)
lambda_handler = serve(app, bootstrap.invocation_begins)
