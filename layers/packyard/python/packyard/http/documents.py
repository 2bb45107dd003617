"""Files in a function's folder that are answered unchanged."""

from pathlib import Path
from typing import Final

from aws_lambda_powertools.event_handler import Response

# Our page runs no script and loads nothing. Were a script to get into its text, browsers would not run it.
_HEADERS: Final = {
    "Cache-Control": "public, max-age=300",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}


def document_response(path: Path, *, content_type: str) -> Response[str]:
    """Return a file's text. Browsers may cache it for five minutes."""
    return Response(
        status_code=200, content_type=content_type, body=path.read_text("utf-8"), headers=dict(_HEADERS)
    )
