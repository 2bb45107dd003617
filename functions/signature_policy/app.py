"""GET and PUT /signature-policy: what images that are registered must bring."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.caller import reader, writer
from packyard.http.preconditions import read_if_match
from packyard.http.signature_policy import read_signature_policy, signature_policy_response
from packyard.tenants.caller import WRITE_POLICIES

app = make_app()


@app.get("/signature-policy")
def get_signature_policy() -> Response[str]:
    """Answer 200 with the policy."""
    services = bootstrap.services()
    caller = reader(app.current_event, api_domain=services.settings.api_domain)
    return signature_policy_response(services.signature_policies.get(caller.org_id))


@app.put("/signature-policy")
def set_signature_policy() -> Response[str]:
    """Answer 200 with the policy as it is now."""
    services = bootstrap.services()
    caller = writer(app.current_event, api_domain=services.settings.api_domain, scope=WRITE_POLICIES)
    policy = read_signature_policy(app.current_event)
    if_match = read_if_match(app.current_event)
    return signature_policy_response(services.signature_policies.set(policy, actor=caller, if_match=if_match))


bootstrap.prepare(lambda services: services.signature_policies)
lambda_handler = serve(app, bootstrap.invocation_begins)
