"""POST /packs/{id}/upload: a new archive for an owned pack."""

from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import writer
from packyard.http.dry_run import QUERY, dry_run_response, read_dry_run
from packyard.http.idempotency import answered_once
from packyard.http.preconditions import read_if_match
from packyard.http.upload import read_reupload
from packyard.http.views import pack_response

if TYPE_CHECKING:
    from packyard.operations.publish import Publisher
    from packyard.operations.published import Published

app = make_app()


@app.post("/packs/<pack_id>/upload")
def reupload_pack(pack_id: str) -> Response[str]:
    """Answer 200 with the pack as it is now; a repeat changes nothing."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, narrowed=True, query=QUERY)
    form = read_reupload(app.current_event, max_bytes=services.settings.inline_archive_bytes)
    if_match = read_if_match(app.current_event)

    def replace(publisher: "Publisher", staged: BinaryIO) -> "Published":
        return publisher.replace(
            staged, pack_id=pack_id, actor=caller, version=form.version, if_match=if_match
        )

    def publish() -> Response[str]:
        published = replace(services.publisher, services.publisher.stage(form.archive))
        return pack_response(200, published.pack, caller, warnings=published.warnings)

    if read_dry_run(app.current_event):
        dry_run = services.dry_run()
        published = replace(dry_run.publisher(services.publisher), dry_run.counted(BytesIO(form.archive)))
        return dry_run_response(dry_run.outcome(published, actor=caller))

    request = (pack_id, form, if_match)
    return answered_once(app, services, publish, caller=caller, request=request, request_decides=True)


bootstrap.prepare(lambda services: (services.once, services.publisher, services.lambda_client))
lambda_handler = serve(app, bootstrap.invocation_begins)
