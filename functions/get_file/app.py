"""GET /packs/{id}/files/{path}: one file of a pack."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import reader
from packyard.http.file_path import read_file_path
from packyard.http.files import file_response
from packyard.http.revision_field import REVISION, read_revision
from packyard.operations.pack_at import pack_at

app = make_app()


@app.get("/packs/<pack_id>/files/.*")
def get_file(pack_id: str) -> Response[Any]:
    """Answer 200 with the file's bytes, or 302 to where a large one is."""
    services = bootstrap.services()
    api_domain = services.settings.api_domain
    caller = reader(app.current_event, api_domain=api_domain, query=(REVISION,), narrowed=True)
    path = read_file_path(app.current_event)
    revision = read_revision(app.current_event)
    pack = pack_at(pack_id, revision, caller=caller, packs=services.pack_revisions)
    found = services.files.find(pack, path, caller=caller)
    return file_response(found, app.current_event, files=services.files)


bootstrap.prepare(lambda services: (services.pack_revisions, services.files))
lambda_handler = serve(app, bootstrap.invocation_begins)
