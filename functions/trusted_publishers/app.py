"""The trusted publishers of the caller's organisation: listing, adding and removing them."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import reader, writer
from packyard.http.idempotency import answered_once
from packyard.http.page_limit import PAGE_QUERY
from packyard.http.preconditions import refuse_conditions
from packyard.http.publishers import (
    publisher_page_view,
    publisher_view,
    read_publisher_list,
    read_publisher_request,
)
from packyard.tenants.caller import WRITE_KEYS

app = make_app()


@app.get("/trusted-publishers")
def list_publishers() -> Response[str]:
    """Answer 200 with a page, by pack."""
    services = bootstrap.services()
    caller = reader(
        app.current_event, api_domain=services.settings.api_domain, narrowed=True, query=PAGE_QUERY
    )
    asked = read_publisher_list(app.current_event, caller, services.cursors)
    page, position = services.publishers.page(
        caller.org_id, limit=asked.limit, position=asked.position, pack_name=caller.pack_name
    )
    return json_response(200, publisher_page_view(page, position, caller, services.cursors))


@app.post("/trusted-publishers")
def add_publisher() -> Response[str]:
    """Answer 201 with the publisher."""
    services = bootstrap.services()
    api_domain = services.settings.api_domain
    caller = writer(app.current_event, api_domain=api_domain, narrowed=True, scope=WRITE_KEYS)
    refuse_conditions(app.current_event, why="a trusted publisher has no revisions")
    asked = read_publisher_request(app.current_event)

    def add() -> Response[str]:
        return json_response(201, publisher_view(services.publisher_keeper.add(asked, caller=caller)))

    return answered_once(app, services, add, caller=caller, request=(asked,))


@app.delete("/trusted-publishers/<publisher_id>")
def remove_publisher(publisher_id: str) -> Response[str]:
    """Answer 200 when the publisher is gone; 404 when there is none."""
    services = bootstrap.services()
    api_domain = services.settings.api_domain
    caller = writer(app.current_event, api_domain=api_domain, narrowed=True, create=False, scope=WRITE_KEYS)
    refuse_conditions(app.current_event, why="a trusted publisher has no revisions")
    services.publisher_keeper.remove(publisher_id, caller=caller)
    return json_response(200, {"status": "deleted"})


bootstrap.prepare(
    lambda services: (services.once, services.publisher_keeper),
    lambda services: services.secrets_manager,
    lambda services: services.cursors,
)
lambda_handler = serve(app, bootstrap.invocation_begins)
