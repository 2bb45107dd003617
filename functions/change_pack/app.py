"""POST /packs/{id}/changes: many files of a pack at once."""

from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import writer
from packyard.http.changes import read_changes
from packyard.http.dry_run import QUERY, dry_run_response, read_dry_run
from packyard.http.idempotency import answered_once
from packyard.http.preconditions import read_if_match
from packyard.http.views import pack_response

if TYPE_CHECKING:
    from packyard.operations.edit import FileEditor
    from packyard.operations.published import Published

app = make_app()


@app.post("/packs/<pack_id>/changes")
def change_pack(pack_id: str) -> Response[str]:
    """Answer 200 with the pack as it is now; a change that changes nothing makes no revision."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, narrowed=True, query=QUERY)
    asked = read_changes(app.current_event, max_bytes=services.settings.inline_archive_bytes)
    if_match = read_if_match(app.current_event)
    archive = None if asked.archive is None else BytesIO(asked.archive)

    def published(editor: "FileEditor", archive: BinaryIO | None) -> "Published":
        return editor.change(
            pack_id,
            archive=archive,
            deletions=asked.deletions,
            actor=caller,
            version=asked.version,
            if_match=if_match,
        )

    def change() -> Response[str]:
        changed = published(services.file_editor, archive)
        return pack_response(200, changed.pack, caller, warnings=changed.warnings)

    if read_dry_run(app.current_event):
        dry_run = services.dry_run()
        counted = None if archive is None else dry_run.counted(archive)
        changed = published(dry_run.editor(services.file_editor), counted)
        return dry_run_response(dry_run.outcome(changed, actor=caller))

    return answered_once(app, services, change, caller=caller, request=(pack_id, asked, if_match))


bootstrap.prepare(lambda services: (services.once, services.file_editor))
lambda_handler = serve(app, bootstrap.invocation_begins)
