"""GET /packs/{id}/attestations: the signed statements about the image of a pack."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.attestations import attestations_response
from packyard.http.caller import reader
from packyard.http.large_json import AS
from packyard.http.revision_field import REVISION, read_revision

app = make_app()


@app.get("/packs/<pack_id>/attestations")
def list_attestations(pack_id: str) -> Response[str]:
    """Answer 200 with the statements and their bundles, or 302 to where they are if they are large."""
    services = bootstrap.services()
    api_domain = services.settings.api_domain
    caller = reader(app.current_event, api_domain=api_domain, query=(REVISION, AS), narrowed=True)
    revision = read_revision(app.current_event)
    found = services.attestation_reader.find(pack_id, revision, caller=caller)
    brought = services.brought_signatures.listed(found.pack)
    return attestations_response(found, brought, app.current_event, files=services.files)


bootstrap.prepare(lambda services: (services.attestation_reader, services.brought_signatures, services.files))
lambda_handler = serve(app, bootstrap.invocation_begins)
