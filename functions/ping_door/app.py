"""GET /v2/: whether this is a registry, and whether the client's token is valid."""

from aws_lambda_powertools.event_handler import Response

from packyard.http.app import serve
from packyard.http.distribution import make_door, ping_response

app = make_door()


@app.route("/", method=["GET", "HEAD"])
def ping_door() -> Response[str]:
    """Answer 200; the authorizer has let the client in."""
    return ping_response()


lambda_handler = serve(app)
