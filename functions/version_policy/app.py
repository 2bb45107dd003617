"""GET and PUT /version-policy: which versions the caller's organisation may publish."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import reader, writer
from packyard.http.preconditions import read_if_match
from packyard.http.version_policy import policy_response, read_policy
from packyard.tenants.caller import WRITE_POLICIES

app = make_app()


@app.get("/version-policy")
def get_version_policy() -> Response[str]:
    """Answer 200 with the policy."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain)
    return policy_response(services.version_policies.get(caller.org_id))


@app.put("/version-policy")
def set_version_policy() -> Response[str]:
    """Answer 200 with the policy as it is now."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, scope=WRITE_POLICIES)
    policy = read_policy(app.current_event)
    if_match = read_if_match(app.current_event)
    return policy_response(services.version_policies.set(policy, actor=caller, if_match=if_match))


bootstrap.prepare(lambda services: services.version_policies)
lambda_handler = serve(app, bootstrap.invocation_begins)
