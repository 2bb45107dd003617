"""PUT /packs/{id}/files/{path}: one file of a pack that we built."""

from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import writer
from packyard.http.dry_run import QUERY, dry_run_response, read_dry_run
from packyard.http.file_path import read_file_path
from packyard.http.preconditions import read_conditions
from packyard.http.raw_body import read_bytes, refuse_form
from packyard.http.views import pack_response
from packyard.packs.file_edit import Edit

if TYPE_CHECKING:
    from packyard.operations.edit import FileEditor
    from packyard.operations.published import Published

_LARGER: Final = (
    "A larger file comes with an archive of the whole pack: POST /packs/uploads with the pack's id as pack_id answers "
    "a form that takes it."
)

app = make_app()


@app.put("/packs/<pack_id>/files/.*")
def put_file(pack_id: str) -> Response[str]:
    """Answer 200 with the pack as it is now; the same content again changes nothing."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, narrowed=True, query=QUERY)
    path = read_file_path(app.current_event)
    refuse_form(app.current_event)
    content = read_bytes(app.current_event, max_bytes=services.settings.inline_archive_bytes, larger=_LARGER)
    conditions = read_conditions(app.current_event)

    def put(editor: "FileEditor") -> "Published":
        return editor.put(
            pack_id,
            Edit(path=path, content=content),
            caller=caller,
            if_match=conditions.if_match,
            create_only=conditions.create_only,
        )

    if read_dry_run(app.current_event):
        dry_run = services.dry_run()
        published = put(dry_run.editor(services.file_editor))
        return dry_run_response(dry_run.outcome(published, actor=caller))
    published = put(services.file_editor)
    return pack_response(200, published.pack, caller, warnings=published.warnings)


bootstrap.prepare(lambda services: services.file_editor)
lambda_handler = serve(app, bootstrap.invocation_begins)
