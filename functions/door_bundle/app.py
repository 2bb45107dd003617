"""The lock of a role, and its bundle: for runtimes, and for sites without a network."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.bundle import bundle_response
from packyard.http.caller import reader
from packyard.http.lock import QUERY, lock_response

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


bootstrap.prepare(
    lambda services: (services.lock_reader, services.bundle_finder), lambda services: services.image_files
)
lambda_handler = serve(app, bootstrap.invocation_begins)
