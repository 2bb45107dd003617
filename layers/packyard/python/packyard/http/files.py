"""A pack's files in answers: the list, one file's bytes, or the address of what is too large for an answer.

Packs hold content of other people, and these answers come from the API's own origin, where a browser may have a
session. So no answer has the type `text/html` or another type that a browser runs. A browser must not guess another
type (`nosniff`), must not show the file in place (`attachment`), and must not run it if it does (`sandbox`).
"""

from pathlib import PurePosixPath
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.http.app import JSON
from packyard.http.entity_tags import ETAG, is_known, not_modified
from packyard.http.inline_limit import MAX_INLINE_BYTES
from packyard.http.large_json import attached, json_answer
from packyard.oci.content_digest import content_digest_of
from packyard.oci.read.file_index import FORMAT
from packyard.operations.file_views import file_view
from packyard.operations.files import Found, PackFiles, is_text
from packyard.packs.pack import Pack
from packyard.packs.precondition import file_tag
from packyard.storage.downloads import Download, Downloads
from packyard.tenants.caller import Caller

_MAX_ESCAPED_CHARACTERS: Final = 5800 << 10
_TEXT: Final = "text/plain; charset=utf-8"
_BYTES: Final = "application/octet-stream"
# Content types by the end of the name. Other texts are plain text. Nothing that a browser runs may be added here.
_TEXTS: Final = {
    ".csv": "text/csv; charset=utf-8",
    ".json": JSON,
    ".markdown": "text/markdown; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".toml": "application/toml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
_BINARIES: Final = {
    ".gif": "image/gif",
    ".gz": "application/gzip",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".sqlite": "application/vnd.sqlite3",
    ".tar": "application/x-tar",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".zip": "application/zip",
}
_SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


def content_type(path: str, *, text: bool) -> str:
    """Return a file's content type, by its name, among those for text or among those for other bytes."""
    suffix = PurePosixPath(path).suffix.lower()
    return _TEXTS.get(suffix, _TEXT) if text else _BINARIES.get(suffix, _BYTES)


def list_response(
    pack: Pack, event: APIGatewayProxyEvent, *, caller: Caller, files: PackFiles
) -> Response[str]:
    """Return the list of a pack's files. Its entity tag is made of what decides it: the image and the revision."""
    tag = f'"{pack.image_digest}.{FORMAT}.{pack.revision}"'
    if is_known(event, tag):
        return not_modified(tag, content_type=JSON)
    index = files.index(pack, caller=caller)
    body = {
        "files": [file_view(file) for file in index.files],
        "revision": pack.revision,
        "image_digest": pack.image_digest,
        "content_digest": content_digest_of(index.files),
    }
    return json_answer(body, event, name="files.json", files=files, tag=tag)


def file_response(found: Found, event: APIGatewayProxyEvent, *, files: PackFiles) -> Response[Any]:
    """Return a file's bytes; or a short-lived URL, when the answer cannot carry them.

    The gateway decodes base64 only for a request with an `Accept` header, which curl, browsers and most libraries send.
    Other clients get a URL for content that is not text.
    """
    tag = file_tag(found.file.sha256)
    if is_known(event, tag):
        # The content, which would tell whether it is text, is not read for this. The name is nearly always right.
        suffix = PurePosixPath(found.file.path).suffix.lower()
        return not_modified(tag, content_type=content_type(found.file.path, text=suffix not in _BINARIES))
    if found.file.size <= MAX_INLINE_BYTES:
        content = files.content(found)
        text = is_text([content])
        body: str | bytes = content.decode() if text and _fits_escaped(content) else content
        if isinstance(body, str) or event.headers.get("Accept"):
            headers = {ETAG: tag, **_SAFE}
            headers["Content-Disposition"] = attached(found.file.path)
            return Response(200, content_type(found.file.path, text=text), body, dict(headers))
    return _elsewhere(files.stage(found), found.file.path, files.downloads, tag)


def _elsewhere(download: Download, path: str, downloads: Downloads, tag: str) -> Response[Any]:
    kind = content_type(path, text=download.is_text)
    url = downloads.url(download, content_type=kind, disposition=attached(path))
    # Everybody who has the URL can read the file, so that no cache may share it.
    # API Gateway takes only answers whose body is a string.
    headers = {"Location": url, "Cache-Control": "private, no-store", ETAG: tag}
    return Response(302, body="", headers=dict(headers))


def _fits_escaped(content: bytes) -> bool:
    """Return whether a text still fits once it is a JSON string."""
    escaped = sum(content.count(mark) for mark in (b'"', b"\\", b"\n", b"\r", b"\t", b"\f"))
    return len(content) + escaped <= _MAX_ESCAPED_CHARACTERS
