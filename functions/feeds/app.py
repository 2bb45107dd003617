"""The feeds of the caller's organisation: listing, making, reading and removing them."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import reader, writer
from packyard.http.feeds import (
    feed_page_view,
    feed_state_view,
    made_before,
    made_response,
    read_feed_list,
    read_feed_request,
)
from packyard.http.idempotency import answered_once
from packyard.http.page_limit import PAGE_QUERY
from packyard.http.preconditions import refuse_conditions
from packyard.tenants.caller import WRITE_ROLES

app = make_app()


@app.get("/feeds")
def list_feeds() -> Response[str]:
    """Answer 200 with a page, the newest feed first."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain, query=PAGE_QUERY)
    asked = read_feed_list(app.current_event, caller, services.cursors)
    page, position = services.feed_store.page(caller.org_id, limit=asked.limit, position=asked.position)
    return json_response(200, feed_page_view(page, position, caller, services.cursors))


@app.post("/feeds")
def create_feed() -> Response[str]:
    """Answer 201 with the feed and, this once, its address."""
    services = bootstrap.services()
    event = app.current_event
    caller = writer(event, api_domain=services.settings.api_domain, scope=WRITE_ROLES)
    refuse_conditions(event, why="a feed has no revisions")
    asked = read_feed_request(event)

    def create() -> Response[str]:
        made = services.feeds.create(asked, caller=caller)
        return made_response(event, made, public_url=services.settings.public_url)

    return answered_once(app, services, create, caller=caller, request=(asked,), repeated=made_before)


@app.get("/feeds/<feed_id>")
def get_feed(feed_id: str) -> Response[str]:
    """Answer 200 with the feed, without its address: its last day of use, and what each door serves and leaves out."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain)
    feed = services.feeds.get(feed_id, caller=caller)
    last, catalogue = services.feed_uses.last(feed), services.feed_door.catalogue(feed)
    return json_response(200, feed_state_view(feed, last, catalogue))


@app.delete("/feeds/<feed_id>")
def remove_feed(feed_id: str) -> Response[str]:
    """Answer 200 when the feed is gone; 404 when there is none."""
    services = bootstrap.services()
    api_domain = services.settings.api_domain
    caller = writer(app.current_event, api_domain=api_domain, create=False, scope=WRITE_ROLES)
    refuse_conditions(app.current_event, why="a feed has no revisions")
    services.feeds.remove(feed_id, caller=caller)
    return json_response(200, {"status": "deleted"})


bootstrap.prepare(
    lambda services: (services.once, services.feeds, services.feed_uses, services.feed_door),
    lambda services: services.secrets_manager,
    lambda services: services.cursors,
)
lambda_handler = serve(app, bootstrap.invocation_begins)
