"""GET and PUT /packs/{id}/retention: how many of a pack's newest revisions are kept when no role pins them."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import reader, writer
from packyard.http.preconditions import read_if_match
from packyard.http.retention import read_keep, retention_response
from packyard.tenants.caller import WRITE_POLICIES

app = make_app()
PATH = "/packs/<pack_id>/retention"


@app.get(PATH)
def get_retention(pack_id: str) -> Response[str]:
    """Answer 200 with the policy; 404 to other organisations."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain, narrowed=True)
    return retention_response(services.retention.get(pack_id, caller=caller))


@app.put(PATH)
def set_retention(pack_id: str) -> Response[str]:
    """Answer 200 with the policy as it is now."""
    services = bootstrap.services()
    api_domain = services.settings.api_domain
    caller = writer(app.current_event, api_domain=api_domain, narrowed=True, scope=WRITE_POLICIES)
    keep = read_keep(app.current_event)
    if_match = read_if_match(app.current_event)
    return retention_response(services.retention.set(pack_id, keep, caller=caller, if_match=if_match))


bootstrap.prepare(lambda services: services.retention)
lambda_handler = serve(app, bootstrap.invocation_begins)
