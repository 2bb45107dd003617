"""GET /packs/{id}/revisions/{n}: a pack as it was at one of its revisions."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import reader
from packyard.http.revision import revision_view
from packyard.http.revision_field import NUMBER, parse_revision
from packyard.operations.pack_at import revision_at

app = make_app()


@app.get("/packs/<pack_id>/revisions/<n>")
def get_revision(pack_id: str, n: str) -> Response[str]:
    """Answer 200 with the pack as it was; 404 for a revision that the caller may not see."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain, narrowed=True)
    number = parse_revision(n, NUMBER.name)
    found = revision_at(pack_id, number, caller=caller, packs=services.pack_revisions)
    return json_response(200, revision_view(found, caller))


bootstrap.prepare(lambda services: services.pack_revisions)
lambda_handler = serve(app, bootstrap.invocation_begins)
