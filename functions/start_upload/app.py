"""POST /packs/uploads: starts an upload, and answers a form for an archive that is too large for one request."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import writer
from packyard.http.dry_run import QUERY, read_dry_run
from packyard.http.idempotency import answered_once
from packyard.http.preconditions import read_if_match
from packyard.http.uploads import read_start, started_view

app = make_app()


@app.post("/packs/uploads")
def start_upload() -> Response[str]:
    """Answer 201 with the upload and its form; the archive's arrival starts the build."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, narrowed=True, query=QUERY)
    if_match = read_if_match(app.current_event)
    asked = read_start(app.current_event, max_bytes=services.settings.archive_limits.compressed_bytes)
    dry_run = read_dry_run(app.current_event)

    def start() -> Response[str]:
        started = services.uploads.start(
            caller=caller,
            visibility=asked.visibility,
            pack_id=asked.pack_id,
            if_match=if_match,
            kind=asked.kind,
            deletions=asked.deletions,
            version=asked.version,
            dry_run=dry_run,
        )
        return json_response(201, started_view(started))

    if dry_run:
        return start()
    return answered_once(app, services, start, caller=caller, request=(asked, if_match))


bootstrap.prepare(lambda services: (services.once, services.uploads))
lambda_handler = serve(app, bootstrap.invocation_begins)
