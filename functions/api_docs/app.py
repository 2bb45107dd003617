"""GET /openapi.json and GET /docs: the API's document, for programs and for people."""

from pathlib import Path

from aws_lambda_powertools.event_handler import Response

from packyard.http.app import make_app, serve
from packyard.http.documents import document_response
from packyard.http.query import require_known

app = make_app()
HERE = Path(__file__).parent


@app.get("/openapi.json")
def openapi() -> Response[str]:
    """Answer 200 with the document."""
    require_known(app.current_event)
    return document_response(HERE / "openapi.json", content_type="application/json")


@app.get("/docs")
def docs() -> Response[str]:
    """Answer 200 with its page."""
    require_known(app.current_event)
    return document_response(HERE / "index.html", content_type="text/html; charset=utf-8")


lambda_handler = serve(app)
