"""GET /packs/{id}/files: the files of a pack."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import reader
from packyard.http.files import list_response
from packyard.http.revision_field import REVISION, read_revision
from packyard.operations.pack_at import pack_at

app = make_app()


@app.get("/packs/<pack_id>/files")
def list_files(pack_id: str) -> Response[str]:
    """Answer 200 with every file, or 302 to a list that is too long for an answer."""
    services = bootstrap.services()
    api_domain = services.settings.api_domain
    caller = reader(app.current_event, api_domain=api_domain, query=(REVISION,), narrowed=True)
    revision = read_revision(app.current_event)
    pack = pack_at(pack_id, revision, caller=caller, packs=services.pack_revisions)
    return list_response(pack, app.current_event, caller=caller, files=services.files)


bootstrap.prepare(lambda services: (services.pack_revisions, services.files))
lambda_handler = serve(app, bootstrap.invocation_begins)
