"""The page for people, and its scripts and style sheets: files that are answered as they were built, and compressed.

The page shows what others have written. So its policy lets it run no script but its own, load nothing from elsewhere,
and make HTML of no text that has not been through its sanitiser (Trusted Types).
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import RouteNotFound
from packyard.http.entity_tags import ETAG
from packyard.http.fields import Field

ASSET: Final = Field(
    name="asset",
    example="index-Bq3xT1kE.js",
    description="A script or a style sheet of the page.",
    required=True,
)
DOCUMENT: Final = "index.html"
CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
# A file that the build has compressed has a name with this after it.
_COMPRESSED: Final = ".gz"
# A client that names gzip takes it, unless it says with what weight, and that is nothing (RFC 9110, section 12.5.3).
_TAKES_GZIP: Final = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", re.IGNORECASE)
_ALL: Final = {
    # A third of the bytes for browsers, which all take gzip.
    "Vary": "Accept-Encoding",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_ONLY_A_PAGE: Final = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
# The name of an asset has its digest, so it never changes.
_FOR_GOOD: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Page:
    """The built page.

    Attributes:
        files: Its files, by name.
        policy: Its Content-Security-Policy.
    """

    files: Mapping[str, Path]
    policy: str

    @classmethod
    def built(cls, folder: Path, *, upload_origins: Sequence[str]) -> "Page":
        """Return the page of a folder.

        Args:
            folder: The result of the build, without folders in it.
            upload_origins: Where the page may send archives, besides where it came from.
        """
        files = {path.name: path for path in folder.iterdir() if path.suffix in CONTENT_TYPES}
        return cls(files, content_security_policy(upload_origins))

    def document(self, event: APIGatewayProxyEvent) -> Response[str | bytes]:
        """Return the page itself. Browsers ask each time whether theirs is the newest.

        Args:
            event: The gateway's event.
        """
        headers = {
            "Cache-Control": "no-cache",
            "Content-Security-Policy": self.policy,
            **_ALL,
            **_ONLY_A_PAGE,
        }
        return self._file(DOCUMENT, event, headers)

    def asset(self, name: str, event: APIGatewayProxyEvent) -> Response[str | bytes]:
        """Return a script or a style sheet. Browsers need not ask again.

        Args:
            name: Its name.
            event: The gateway's event.

        Raises:
            RouteNotFound: The page has none of this name.
        """
        if name == DOCUMENT or name not in self.files:
            raise RouteNotFound
        return self._file(name, event, {"Cache-Control": _FOR_GOOD, **_ALL})

    def _file(
        self, name: str, event: APIGatewayProxyEvent, headers: Mapping[str, str]
    ) -> Response[str | bytes]:
        path, kind = self.files[name], CONTENT_TYPES[self.files[name].suffix]
        encodings = ",".join(event.multi_value_headers.get("Accept-Encoding") or [])
        tag = _tag(path)
        if not _TAKES_GZIP.search(encodings):
            return Response(200, kind, path.read_text("utf-8"), {**headers, ETAG: f'"{tag}"'})
        compressed = path.with_name(name + _COMPRESSED).read_bytes()
        # Other bytes need another tag (RFC 9110, section 8.8.3.3).
        more = {ETAG: f'"{tag}{_COMPRESSED}"', "Content-Encoding": "gzip"}
        return Response(200, kind, compressed, {**headers, **more})


def _tag(path: Path) -> str:
    # The name of an asset has its digest.
    return path.name if path.name != DOCUMENT else hashlib.sha256(path.read_bytes()).hexdigest()


def content_security_policy(upload_origins: Sequence[str]) -> str:
    """Return the policy of the page.

    Args:
        upload_origins: Where it may send archives, besides where it came from.
    """
    directives = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": " ".join(("'self'", *upload_origins)),
        "font-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "dompurify 'allow-duplicates'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())
