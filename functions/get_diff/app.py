"""GET /packs/{id}/diff: what differs between two revisions of a pack."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import reader
from packyard.http.diff import QUERY, diff_response, read_diff

app = make_app()


@app.get("/packs/<pack_id>/diff")
def get_diff(pack_id: str) -> Response[str]:
    """Answer 200 with the difference, or 302 to one that is too long for an answer."""
    services = bootstrap.services()
    api_domain = services.settings.api_domain
    caller = reader(app.current_event, api_domain=api_domain, query=QUERY, narrowed=True)
    before, after = read_diff(app.current_event)
    found = services.comparer.compare(pack_id, before, after, caller=caller)
    return diff_response(found, app.current_event, files=services.files)


bootstrap.prepare(lambda services: (services.comparer, services.files))
lambda_handler = serve(app, bootstrap.invocation_begins)
