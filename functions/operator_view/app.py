"""What the operator of the deployment sees, with a key that may `operate`. Nothing here changes anything."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import json_response, make_app, serve
from packyard.http.caller import reader
from packyard.http.operator_view import dead_letters_view, deletions_view, organisation_view
from packyard.http.page_limit import PAGE_QUERY, read_page_request
from packyard.store.deletions import binding
from packyard.tenants.caller import OPERATE

app = make_app()


@app.get("/operator/deletions")
def list_deletions() -> Response[str]:
    """Answer 200 with a page of the packs that are being deleted, the longest waiting first."""
    services = bootstrap.services()
    caller = reader(
        app.current_event, api_domain=services.settings.api_domain, query=PAGE_QUERY, scope=OPERATE
    )
    bound = binding(org_id=caller.org_id)
    asked = read_page_request(app.current_event, bound, services.cursors)
    found = services.operator_view.pending_deletions(limit=asked.limit, position=asked.position)
    return json_response(200, deletions_view(found, bound, services.cursors))


@app.get("/operator/dead-letters")
def list_dead_letters() -> Response[str]:
    """Answer 200 with what there is in each dead-letter queue."""
    services = bootstrap.services()
    reader(app.current_event, api_domain=services.settings.api_domain, scope=OPERATE)
    return json_response(200, dead_letters_view(services.operator_view.letters()))


@app.get("/operator/organisations/<org>")
def get_organisation(org: str) -> Response[str]:
    """Answer 200 with what an organisation uses and may use; 404 if there is none."""
    services = bootstrap.services()
    reader(app.current_event, api_domain=services.settings.api_domain, scope=OPERATE)
    return json_response(200, organisation_view(services.operator_view.organisation(org)))


bootstrap.prepare(
    lambda services: (services.operator_view, services.dead_letters),
    lambda services: services.secrets_manager,
    lambda services: services.cursors,
)
lambda_handler = serve(app, bootstrap.invocation_begins)
