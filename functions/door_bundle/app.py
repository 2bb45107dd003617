"""The lock of a role, and its bundle: for runtimes, and for sites without a network."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.bundle import bundle_response, role_of
from packyard.http.caller import reader
from packyard.http.doors import address_of
from packyard.http.lock import QUERY, lock_response
from packyard.http.query import require_known

app = make_app()


@app.get("/doors/roles/<role_id>/lock.json")
def lock_of_role(role_id: str) -> Response[Any]:
    """Answer as `GET /agent-roles/{role_id}/lock` does."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain, query=QUERY)
    return lock_response(role_id, app.current_event, caller=caller, locks=services.lock_reader)


@app.get("/doors/roles/<role_id>/bundle.tar")
def bundle_of_role(role_id: str) -> Response[Any]:
    """Answer 302 to the bundle, or 202 while it is made."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain)
    role = services.lock_reader.role(role_id, caller=caller)
    return bundle_response(role, app.current_event, caller=caller, bundles=services.bundle_finder)


@app.get("/f/<secret>/lock.json")
def lock_of_feed(secret: str) -> Response[Any]:
    """Answer as for a role; 404 to who has no feed's secret."""
    services = bootstrap.services()
    event = app.current_event
    found = services.feed_door.selection(secret, address=address_of(event))
    require_known(event, QUERY)
    role = role_of(found)
    return lock_response(role.role_id, event, caller=found.caller, locks=services.lock_reader, role=role)


@app.get("/f/<secret>/bundle.tar")
def bundle_of_feed(secret: str) -> Response[Any]:
    """Answer as for a role; 404 to who has no feed's secret."""
    services = bootstrap.services()
    found = services.feed_door.selection(secret, address=address_of(app.current_event))
    return bundle_response(
        role_of(found), app.current_event, caller=found.caller, bundles=services.bundle_finder
    )


bootstrap.prepare(
    lambda services: (services.lock_reader, services.bundle_finder, services.feed_door),
    lambda services: services.image_files,
)
lambda_handler = serve(app, bootstrap.invocation_begins)
