"""The deployment's URL, as clients know it: with it begins the audience of tokens that are for us."""

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent


def own_url(event: APIGatewayProxyEvent) -> str:
    """Return the URL below which the operations are, without a slash at its end.

    Its host is the one that the request came to, which the gateway states: a client cannot reach the API by a host that
    is not the API's (API Gateway, `$context.domainName`).
    """
    context = event["requestContext"]
    # With the stage, or with the base path of the organisations' hosts.
    base = str(context["path"]).removesuffix(event["resource"])
    return f"https://{str(context.get('domainName', '')).lower()}{base}"
