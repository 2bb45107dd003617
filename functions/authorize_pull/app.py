"""The distribution door's authorizer: turns a bearer token into the role whose images may be pulled."""

from packyard.composition import bootstrap
from packyard.http.door_authorizer import serve_door_authorizer
from packyard.tenants.pull_token import PullToken


def resolve(bearer: str) -> PullToken:
    """Return what a bearer token says."""
    return bootstrap.services().pull_tokens.puller(bearer)


bootstrap.prepare(lambda services: (services.pull_tokens, services.secrets_manager))
lambda_handler = serve_door_authorizer(resolve, bootstrap.invocation_begins)
