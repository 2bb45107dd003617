"""POST /packs/upload: makes an image and a pack of an archive."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import writer
from packyard.http.idempotency import answered_once
from packyard.http.preconditions import refuse_conditions
from packyard.http.upload import read_upload
from packyard.http.views import pack_response

app = make_app()


@app.post("/packs/upload")
def upload_pack() -> Response[str]:
    """Answer 201 with the new pack, or 200 with the one that is there when this is a repeat."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, narrowed=True)
    refuse_conditions(app.current_event)
    upload = read_upload(app.current_event, max_bytes=services.settings.inline_archive_bytes)

    def publish() -> Response[str]:
        archive = services.publisher.stage(upload.archive)
        published = services.publisher.create(archive, visibility=upload.visibility, actor=caller)
        return pack_response(201 if published.changed else 200, published.pack, caller)

    return answered_once(app, services, publish, caller=caller, request=(upload,), request_decides=True)


bootstrap.prepare(lambda services: (services.once, services.publisher))
lambda_handler = serve(app, bootstrap.invocation_begins)
