"""The gateway's authorizer: turns a credential into the caller and a policy."""

from packyard.composition import bootstrap
from packyard.http.authorizer import serve_authorizer
from packyard.operations.authenticate import authenticate
from packyard.tenants.caller import Caller


def resolve(authorization: str) -> Caller:
    """Return the caller of an Authorization header."""
    services = bootstrap.services()
    return authenticate(
        authorization,
        tenants=services.tenants,
        token_reader=lambda: services.token_reader,
        now=services.clock(),
    )


bootstrap.prepare(lambda services: (services.tenants, services.token_reader))
lambda_handler = serve_authorizer(resolve, bootstrap.invocation_begins)
