"""GET /console and GET /console/assets/{asset}: the page for people, and what it is made of (decision 143)."""

from pathlib import Path

from aws_lambda_powertools.event_handler import Response

from packyard.composition.upload_origins import upload_origins
from packyard.http.app import make_app, serve
from packyard.http.console import Page
from packyard.http.query import require_known

app = make_app()
PAGE = Page.built(Path(__file__).parent / "assets", upload_origins=upload_origins())


@app.get("/console")
def console() -> Response[str | bytes]:
    """Answer 200 with the page."""
    require_known(app.current_event)
    return PAGE.document(app.current_event)


@app.get("/console/assets/<asset>")
def console_asset(asset: str) -> Response[str | bytes]:
    """Answer 200 with a script or a style sheet of the page."""
    require_known(app.current_event)
    return PAGE.asset(asset, app.current_event)


lambda_handler = serve(app)
