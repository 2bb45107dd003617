"""POST /packs/upload: makes an image and a pack of an archive."""

from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import writer
from packyard.http.dry_run import QUERY, dry_run_response, read_dry_run
from packyard.http.idempotency import answered_once
from packyard.http.preconditions import refuse_conditions
from packyard.http.upload import read_upload
from packyard.http.views import pack_response

if TYPE_CHECKING:
    from packyard.operations.publish import Publisher
    from packyard.operations.published import Published

app = make_app()


@app.post("/packs/upload")
def upload_pack() -> Response[str]:
    """Answer 201 with the new pack, or 200 with the one that is there when this is a repeat."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, narrowed=True, query=QUERY)
    refuse_conditions(app.current_event)
    upload = read_upload(app.current_event, max_bytes=services.settings.inline_archive_bytes)

    def create(publisher: "Publisher", archive: BinaryIO) -> "Published":
        return publisher.create(archive, visibility=upload.visibility, actor=caller, version=upload.version)

    def publish() -> Response[str]:
        published = create(services.publisher, services.publisher.stage(upload.archive))
        status = 201 if published.changed else 200
        return pack_response(status, published.pack, caller, warnings=published.warnings)

    if read_dry_run(app.current_event):
        dry_run = services.dry_run()
        archive = dry_run.counted(BytesIO(upload.archive))
        published = create(dry_run.publisher(services.publisher), archive)
        return dry_run_response(dry_run.outcome(published, actor=caller))
    return answered_once(app, services, publish, caller=caller, request=(upload,), request_decides=True)


bootstrap.prepare(lambda services: (services.once, services.publisher, services.lambda_client))
lambda_handler = serve(app, bootstrap.invocation_begins)
