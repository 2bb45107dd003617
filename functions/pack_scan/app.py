"""GET /packs/{id}/scan and POST /packs/{id}/scan/overrides: what the scanner says of a pack, and what may pass."""

from dataclasses import asdict

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import reader, writer
from packyard.http.idempotency import answered_once
from packyard.http.pack_scan import QUERY, override_response, read_override, scan_response
from packyard.http.preconditions import refuse_conditions
from packyard.http.revision_field import read_revision
from packyard.tenants.caller import WRITE_POLICIES

app = make_app()


@app.get("/packs/<pack_id>/scan")
def get_scan(pack_id: str) -> Response[str]:
    """Answer 200 with the result for the pack's image."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain, query=QUERY, narrowed=True)
    revision = read_revision(app.current_event)
    return scan_response(services.pack_scans.get(pack_id, revision, caller=caller))


@app.post("/packs/<pack_id>/scan/overrides")
def override_scan(pack_id: str) -> Response[str]:
    """Answer 201 with the override."""
    services = bootstrap.services()
    api_domain = services.settings.api_domain
    caller = writer(app.current_event, api_domain=api_domain, narrowed=True, scope=WRITE_POLICIES)
    refuse_conditions(app.current_event, why="an override has no revisions")
    asked = read_override(app.current_event, limits=services.settings.archive_limits)

    def override() -> Response[str]:
        return override_response(services.pack_scans.override(pack_id, caller=caller, **asdict(asked)))

    return answered_once(app, services, override, caller=caller, request=(pack_id, *asked.texts))


bootstrap.prepare(lambda services: (services.once, services.pack_scans))
lambda_handler = serve(app, bootstrap.invocation_begins)
