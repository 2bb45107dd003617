"""POST /packs/{id}/changes: many files of a pack at once."""

from io import BytesIO

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import writer
from packyard.http.changes import read_changes
from packyard.http.idempotency import answered_once
from packyard.http.preconditions import read_if_match
from packyard.http.views import pack_response

app = make_app()


@app.post("/packs/<pack_id>/changes")
def change_pack(pack_id: str) -> Response[str]:
    """Answer 200 with the pack as it is now; a change that changes nothing makes no revision."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, narrowed=True)
    asked = read_changes(app.current_event, max_bytes=services.settings.inline_archive_bytes)
    if_match = read_if_match(app.current_event)

    def change() -> Response[str]:
        published = services.file_editor.change(
            pack_id,
            archive=None if asked.archive is None else BytesIO(asked.archive),
            deletions=asked.deletions,
            actor=caller,
            if_match=if_match,
        )
        return pack_response(200, published.pack, caller)

    return answered_once(app, services, change, caller=caller, request=(pack_id, asked, if_match))


bootstrap.prepare(lambda services: (services.once, services.file_editor))
lambda_handler = serve(app, bootstrap.invocation_begins)
