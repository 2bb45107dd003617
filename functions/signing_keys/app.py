"""GET /.well-known/packyard/keys.json: the public keys of signed statements."""

from aws_lambda_powertools.event_handler import Response

from packyard.composition import bootstrap
from packyard.http.app import make_app, serve
from packyard.http.query import require_known
from packyard.http.signing_keys import keys_response

app = make_app()


@app.get("/.well-known/packyard/keys.json")
def signing_keys() -> Response[str]:
    """Answer 200 with all keys that have signed, past ones included. Anybody may read them."""
    require_known(app.current_event)
    return keys_response(bootstrap.services().published_keys.all())


bootstrap.prepare(lambda services: (services.published_keys, services.kms))
lambda_handler = serve(app, bootstrap.invocation_begins)
