"""GET /agent-roles/{role_id}/lock: what an agent's runtime needs of a role."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import reader
from packyard.http.lock import QUERY, lock_response

app = make_app()


@app.get("/agent-roles/<role_id>/lock")
def get_lock(role_id: str) -> Response[Any]:
    """Answer 200 with the lock document, or 302 to where a large one is; 304 after one read when it is known."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain, query=QUERY)
    return lock_response(role_id, app.current_event, caller=caller, locks=services.lock_reader)


bootstrap.prepare(lambda services: services.lock_reader, lambda services: services.image_files)
lambda_handler = serve(app, bootstrap.invocation_begins)
