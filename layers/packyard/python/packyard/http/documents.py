"""Files that lie beside a function and are answered as they are."""

from pathlib import Path
from typing import Final

from aws_lambda_powertools.event_handler import Response

# A page of ours runs no script and loads nothing; should one ever slip into its text, browsers will not run it either.
_HEADERS: Final = {
    "Cache-Control": "public, max-age=300",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}


def document_response(path: Path, *, content_type: str) -> Response[str]:
    """Return a file's text, which browsers may keep for five minutes."""
    return Response(
        status_code=200, content_type=content_type, body=path.read_text("utf-8"), headers=dict(_HEADERS)
    )
