"""GET and PUT /scan-policy: what of the scanner's findings the caller's organisation refuses."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import reader, writer
from packyard.http.preconditions import read_if_match
from packyard.http.scan_policy import read_scan_policy, scan_policy_response
from packyard.tenants.caller import WRITE_POLICIES

app = make_app()


@app.get("/scan-policy")
def get_scan_policy() -> Response[str]:
    """Answer 200 with the policy."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain)
    return scan_policy_response(services.scan_policies.get(caller.org_id))


@app.put("/scan-policy")
def set_scan_policy() -> Response[str]:
    """Answer 200 with the policy as it is now."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, scope=WRITE_POLICIES)
    policy = read_scan_policy(app.current_event)
    if_match = read_if_match(app.current_event)
    return scan_policy_response(services.scan_policies.set(policy, actor=caller, if_match=if_match))


bootstrap.prepare(lambda services: services.scan_policies)
lambda_handler = serve(app, bootstrap.invocation_begins)
