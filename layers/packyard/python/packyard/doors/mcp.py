"""MCP with the extension for skills (SEP-2640), stateless: each POST has one JSON-RPC request, and each answer is JSON.

One entry that is not valid makes FastMCP refuse the whole list, so entries have exactly the keys that it knows.
"""

import base64
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

from packyard.doors.document import SKILL_FILE, ServedDocument
from packyard.doors.served_pack import ServedPack

VERSION: Final = "2026-07-28"
SCHEME: Final = "skill://"
SKILLS: Final = "io.modelcontextprotocol/skills"

# JSON-RPC 2.0, section 5.1.
PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603

_TYPES: Final = {
    ".md": "text/markdown",
    ".txt": "text/plain",
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".py": "text/x-python",
    ".sh": "text/x-shellscript",
    ".html": "text/html",
    ".csv": "text/csv",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".pdf": "application/pdf",
}


def discovered() -> dict[str, Any]:
    """Return the result of `server/discover`."""
    return _complete(
        {
            "supportedVersions": [VERSION],
            "capabilities": {"resources": {}, "tools": {}, "extensions": {SKILLS: {}}},
            "serverInfo": {"name": "packyard", "version": "1"},
            "ttlMs": 0,
            "cacheScope": "private",
        }
    )


def listed(entries: Iterable[Mapping[str, Any]], *, next_cursor: str | None) -> dict[str, Any]:
    """Return the result of `skills/list`.

    Args:
        entries: Of one page, as `entry` returns them.
        next_cursor: What the client sends for the next page; None on the last one.
    """
    page: dict[str, Any] = {"skills": list(entries), "ttlMs": 0, "cacheScope": "private"}
    return _complete(page if next_cursor is None else page | {"nextCursor": next_cursor})


def empty_list(of: str) -> dict[str, Any]:
    """Return the result of a method that lists what this server has none of.

    Args:
        of: What is listed, as the result calls it: `tools`, `resources`.
    """
    return _complete({of: [], "ttlMs": 0, "cacheScope": "private"})


def got(entry_of: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of `skills/get`."""
    return _complete({"skill": dict(entry_of)})


def entry(pack: ServedPack, document: ServedDocument) -> dict[str, Any]:
    """Return a pack as `skills/list` has it.

    Args:
        pack: The pack.
        document: What is served of its image.
    """
    return {
        "uri": uri_of(pack, SKILL_FILE),
        "frontmatter": dict(document.frontmatter),
        "resources": [
            {"uri": uri_of(pack, file.path), "digest": f"sha256:{file.sha256}", "size": file.size}
            for file in document.files
        ],
        "_meta": {
            "dev.packyard/version": pack.version,
            "dev.packyard/revision": pack.revision,
            "dev.packyard/image": pack.image_digest,
        },
    }


def uri_of(pack: ServedPack, path: str) -> str:
    """Return the URI of a file of a pack."""
    return f"{SCHEME}{pack.owner}/{pack.name}/{quote(path)}"


def parse_uri(uri: str) -> tuple[str, str, str] | None:
    """Return the owner, the pack's name and the path that a URI names; None if it is none of ours.

    A path is only looked for among those of the pack, so it may be anything.
    """
    scheme, _, rest = uri.partition(SCHEME)
    owner, _, below = rest.partition("/")
    name, _, path = below.partition("/")
    if scheme or not owner or not name or not path:
        return None
    return owner, name, unquote(path, errors="replace")


def read(uri: str, path: str, content: bytes) -> dict[str, Any]:
    """Return the result of `resources/read`: text if the bytes are UTF-8, which the client encodes to the same bytes.

    Args:
        uri: As the client has sent it.
        path: Of the file.
        content: Of the file.
    """
    kind = _TYPES.get(path[path.rfind(".") :].lower()) if "." in path else None
    contents: dict[str, Any] = {"uri": uri}
    text = _text(content)
    if text is None:
        contents |= {
            "mimeType": kind or "application/octet-stream",
            "blob": base64.b64encode(content).decode(),
        }
    else:
        contents |= {"mimeType": kind or "text/plain", "text": text}
    return _complete({"contents": [contents], "ttlMs": 0, "cacheScope": "private"})


def _text(content: bytes) -> str | None:
    """Return text whose JSON is not much longer than its bytes, or None."""
    if b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def answer(request_id: Any, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to a request."""
    return {"jsonrpc": "2.0", "id": request_id, "result": dict(result)}


def refusal(request_id: Any, code: int, message: str) -> dict[str, Any]:
    """Return the answer to a request that fails.

    Args:
        request_id: The request's; None if it could not be read.
        code: Of JSON-RPC.
        message: For people.
    """
    return {"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}}


def _complete(result: dict[str, Any]) -> dict[str, Any]:
    return {"resultType": "complete", **result}
