"""The gateway's authorizer: a credential in, the caller and a policy out."""

from packyard.composition import bootstrap
from packyard.http.authorizer import serve_authorizer
from packyard.operations.authenticate import authenticate
from packyard.tenants.caller import Caller


def resolve(authorization: str) -> Caller:
    """Return the caller that the Authorization header stands for."""
    services = bootstrap.services()
    return authenticate(
        authorization,
        tenants=services.tenants,
        token_reader=lambda: services.token_reader,
        now=services.clock(),
    )


bootstrap.prepare(lambda services: (services.tenants, services.token_reader))
lambda_handler = serve_authorizer(resolve, bootstrap.invocation_begins)
