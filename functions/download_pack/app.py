"""GET /packs/{id}/download: a pack's image, for clients without a registry login."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import reader
from packyard.http.download import download_response
from packyard.http.revision_field import REVISION, read_revision
from packyard.operations.pack_at import pack_at

app = make_app()


@app.get("/packs/<pack_id>/download")
def download_pack(pack_id: str) -> Response[str]:
    """Answer 200 with the documents and the layers' URLs."""
    services = bootstrap.services()
    api_domain = services.settings.api_domain
    caller = reader(app.current_event, api_domain=api_domain, query=(REVISION,), narrowed=True)
    revision = read_revision(app.current_event)
    pack = pack_at(pack_id, revision, caller=caller, packs=services.pack_revisions)
    return download_response(services.downloader.download(pack, caller=caller))


bootstrap.prepare(lambda services: (services.pack_revisions, services.downloader))
lambda_handler = serve(app, bootstrap.invocation_begins)
