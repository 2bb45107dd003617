"""DELETE /packs/{id}/revisions/{n}: deletes the content of a revision."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import writer
from packyard.http.preconditions import read_if_match
from packyard.http.revision_deletion import QUERY, deletion_view, read_force
from packyard.http.revision_field import NUMBER, parse_revision
from packyard.tenants.caller import WRITE_POLICIES

app = make_app()


@app.delete("/packs/<pack_id>/revisions/<n>")
def delete_revision(pack_id: str, n: str) -> Response[str]:
    """Answer 200 when the content is gone, also when it was gone before."""
    services = bootstrap.services()
    caller = writer(
        app.current_event,
        api_domain=services.settings.api_domain,
        narrowed=True,
        create=False,
        scope=WRITE_POLICIES,
        query=QUERY,
    )
    number = parse_revision(n, NUMBER.name)
    force = read_force(app.current_event)
    if_match = read_if_match(app.current_event)
    removal = services.revision_deleter.delete(pack_id, number, force=force, caller=caller, if_match=if_match)
    return json_response(200, deletion_view(removal))


bootstrap.prepare(lambda services: services.revision_deleter)
lambda_handler = serve(app, bootstrap.invocation_begins)
