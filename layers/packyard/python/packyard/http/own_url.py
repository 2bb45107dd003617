"""The deployment's URL, as clients know it: with it begin the audience of tokens that are for us, and links."""

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent


def own_url(event: APIGatewayProxyEvent) -> str:
    """Return the URL below which the operations are, without a slash at its end.

    Its host is the one that the request came to, which the gateway states: a client cannot reach the API by a host that
    is not the API's (API Gateway, `$context.domainName`).
    """
    # With the stage, or with the base path of the organisations' hosts.
    base = str(event["requestContext"]["path"]).removesuffix(event["resource"])
    return f"{_origin(event)}{base}"


def link_base(event: APIGatewayProxyEvent, *, public_url: str, path: str) -> str:
    """Return what links to operations begin with, without a slash at its end.

    Args:
        event: The gateway's event.
        public_url: The deployment's URL, where clients know it by another one than the gateway does; else empty.
        path: The request's path below that URL.
    """
    if public_url and _domain(event):
        return public_url
    return f"{_origin(event)}{str(event['requestContext']['path']).removesuffix(path)}"


def _origin(event: APIGatewayProxyEvent) -> str:
    domain = _domain(event)
    if domain:
        return f"https://{domain}"
    # Only the gateway of a local stack does not say by which name it was reached.
    scheme = event.headers.get("X-Forwarded-Proto", "http")
    return f"{scheme}://{event.headers.get('Host', 'localhost')}"


def _domain(event: APIGatewayProxyEvent) -> str:
    return str(event["requestContext"].get("domainName") or "").lower()
