"""The policies of the caller's organisation: on versions, on what registered images bring, on what the scanner finds.

Each route loads its own policy: most requests read one, and a function that starts is not to wait for the others.
"""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.composition.bootstrap import Services
from packyard.http.app import make_app, serve
from packyard.http.caller import reader, writer
from packyard.http.preconditions import read_if_match
from packyard.tenants.caller import WRITE_POLICIES, Caller

app = make_app()


def _reader(services: Services) -> Caller:
    return reader(app.current_event, api_domain=services.settings.api_domain)


def _writer(services: Services) -> Caller:
    return writer(app.current_event, api_domain=services.settings.api_domain, scope=WRITE_POLICIES)


@app.get("/version-policy")
def get_version_policy() -> Response[str]:
    """Answer 200 with which versions the organisation may publish."""
    from packyard.http.version_policy import policy_response

    services = bootstrap.services()
    return policy_response(services.version_policies.get(_reader(services).org_id))


@app.put("/version-policy")
def set_version_policy() -> Response[str]:
    """Answer 200 with the policy as it is now."""
    from packyard.http.version_policy import policy_response, read_policy

    services = bootstrap.services()
    caller = _writer(services)
    policy = read_policy(app.current_event)
    if_match = read_if_match(app.current_event)
    return policy_response(services.version_policies.set(policy, actor=caller, if_match=if_match))


@app.get("/signature-policy")
def get_signature_policy() -> Response[str]:
    """Answer 200 with what images that are registered must bring."""
    from packyard.http.signature_policy import signature_policy_response

    services = bootstrap.services()
    return signature_policy_response(services.signature_policies.get(_reader(services).org_id))


@app.put("/signature-policy")
def set_signature_policy() -> Response[str]:
    """Answer 200 with the policy as it is now."""
    from packyard.http.signature_policy import read_signature_policy, signature_policy_response

    services = bootstrap.services()
    caller = _writer(services)
    policy = read_signature_policy(app.current_event)
    if_match = read_if_match(app.current_event)
    return signature_policy_response(services.signature_policies.set(policy, actor=caller, if_match=if_match))


@app.get("/scan-policy")
def get_scan_policy() -> Response[str]:
    """Answer 200 with what of the scanner's findings is refused."""
    from packyard.http.scan_policy import scan_policy_response

    services = bootstrap.services()
    return scan_policy_response(services.scan_policies.get(_reader(services).org_id))


@app.put("/scan-policy")
def set_scan_policy() -> Response[str]:
    """Answer 200 with the policy as it is now."""
    from packyard.http.scan_policy import read_scan_policy, scan_policy_response

    services = bootstrap.services()
    caller = _writer(services)
    policy = read_scan_policy(app.current_event)
    if_match = read_if_match(app.current_event)
    return scan_policy_response(services.scan_policies.set(policy, actor=caller, if_match=if_match))


def _load_readers(_: Services) -> None:
    from packyard.http import scan_policy, signature_policy, version_policy  # noqa: F401 - the first of each


bootstrap.prepare(
    _load_readers,
    lambda services: (services.version_policies, services.signature_policies, services.scan_policies),
)
lambda_handler = serve(app, bootstrap.invocation_begins)
