"""POST /oidc/exchange: a key for a run of CI, for its token. It takes no credential."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.query import require_known
from packyard.http.token_exchange import exchanged_response, read_exchange

app = make_app()


@app.post("/oidc/exchange")
def exchange_oidc() -> Response[str]:
    """Answer 200 with the key, this once; 401 when the token is not accepted."""
    services = bootstrap.services()
    require_known(app.current_event)
    settings = services.settings
    asked = read_exchange(app.current_event, api_domain=settings.api_domain, public_url=settings.public_url)
    return exchanged_response(services.token_exchange.exchange(asked))


bootstrap.prepare(lambda services: services.token_exchange)
lambda_handler = serve(app, bootstrap.invocation_begins)
