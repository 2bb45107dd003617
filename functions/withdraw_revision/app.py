"""POST and DELETE /packs/{id}/revisions/{n}/withdrawal: withdraws a revision, and takes that back."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import writer
from packyard.http.preconditions import read_if_match
from packyard.http.revision_field import NUMBER, parse_revision
from packyard.http.revisions import revision_view
from packyard.http.withdrawal import read_reason

app = make_app()
PATH = "/packs/<pack_id>/revisions/<n>/withdrawal"


@app.post(PATH)
def withdraw(pack_id: str, n: str) -> Response[str]:
    """Answer 200 with the revision, which nobody can begin to use any more."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, narrowed=True)
    number = parse_revision(n, NUMBER.name)
    reason = read_reason(app.current_event)
    if_match = read_if_match(app.current_event)
    withdrawn = services.withdrawer.withdraw(pack_id, number, reason, caller=caller, if_match=if_match)
    return json_response(200, revision_view(withdrawn))


@app.delete(PATH)
def restore(pack_id: str, n: str) -> Response[str]:
    """Answer 200 with the revision, which can be used as before."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, narrowed=True, create=False)
    number = parse_revision(n, NUMBER.name)
    if_match = read_if_match(app.current_event)
    restored = services.withdrawer.restore(pack_id, number, caller=caller, if_match=if_match)
    return json_response(200, revision_view(restored))


bootstrap.prepare(lambda services: services.withdrawer)
lambda_handler = serve(app, bootstrap.invocation_begins)
