"""Commands about the files of a pack: `files`, `cat`, `edit`."""

import argparse
import base64
import hashlib
import os
import shlex
import subprocess
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from packyard.packs.precondition import FILE_TAG, file_tag
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.result import Result, size_text, table
from packyard_cli.service import Service, file_path
from packyard_cli.standing import StandingPack, find_pack, pinned_reference

_MAX_FILE = 1 << 30


class Bytes:
    """A file's content to send."""

    content_type = "application/octet-stream"

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __len__(self) -> int:
        """Return its bytes."""
        return len(self._content)

    def open(self) -> bytes:
        """Return what to send."""
        return self._content


def files(options: argparse.Namespace, context: Context) -> Result:
    """List the files of a pack."""
    service = context.service()
    pack = find_pack(service, options.pack)
    query = {} if options.revision is None else {"revision": str(options.revision)}
    body = service.get(f"{pack.path}/files", query=query).body
    rows = [
        [str(file["mode"]), size_text(int(file["size"])), str(file.get("digest", "")), str(file["path"])]
        for file in body["files"]
    ]
    return Result(
        document=body,
        lines=table(rows, heading=("MODE", "SIZE", "DIGEST", "PATH")),
        essence=[str(file["path"]) for file in body["files"]],
    )


def cat(options: argparse.Namespace, context: Context) -> Result:
    """Print a file's bytes, once they match the digest that the service states."""
    service = context.service()
    pack = find_pack(service, options.pack)
    content = _read(service, pack, options.path)
    try:
        text: dict[str, Any] = {"content": content.decode()}
    except UnicodeDecodeError:
        text = {"content_base64": base64.b64encode(content).decode()}
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    document = {"path": options.path, "size": len(content), "digest": digest, **text}
    return Result(document=document, content=content)


def edit(options: argparse.Namespace, context: Context) -> Result:
    """Change one file, if nobody else changes it meanwhile.

    Raises:
        Failure: The editor failed, or somebody else changed the pack.
    """
    service = context.service()
    pack = find_pack(service, options.pack)
    before = _read_if_there(service, pack, options.path)
    after = (
        _given(options.source, context) if options.source else _edited(before or b"", options.path, context)
    )
    if after == before:
        return Result(document={"changed": False, "id": pack.id}, lines=["Nothing was changed."])
    answer = service.call(
        "PUT",
        f"{pack.path}/files/{file_path(options.path)}",
        body=Bytes(after),
        if_match=None if before is None else file_tag(hashlib.sha256(before).hexdigest()),
        headers={"If-None-Match": "*"} if before is None else {},
    )
    reference = pinned_reference(answer.body)
    return Result(
        document={"changed": True, **answer.body},
        lines=[f"{options.path} is changed in {answer.body['name']}.", reference],
        essence=[reference],
    )


def _read(service: Service, pack: StandingPack, path: str) -> bytes:
    """Return a file's content, checked where the service states its digest, which a redirect's target does not."""
    if not path:
        # Without a path, the service would answer the list of files.
        raise Failure(
            Exit.USAGE, "The path of the file is empty.", "packyard files PACK lists the pack's files."
        )
    headers, content = service.download(f"{pack.path}/files/{file_path(path)}", limit=_MAX_FILE)
    tag = headers.get("ETag", "")
    if tag.startswith(f'"{FILE_TAG}') and tag != file_tag(hashlib.sha256(content).hexdigest()):
        raise Failure(
            Exit.TAMPERED,
            f"{path} is not what the service says that it is.",
            "Repeat the command; tell the operator.",
        )
    return content


def _read_if_there(service: Service, pack: StandingPack, path: str) -> bytes | None:
    try:
        return _read(service, pack, path)
    except Failure as failure:
        if failure.code != "file_not_found":
            raise
        return None


def _given(source: str, context: Context) -> bytes:
    if source == "-":
        raw = getattr(context.stdin, "buffer", None)
        return bytes(raw.read()) if raw is not None else context.stdin.read().encode()
    return Path(source).read_bytes()


def _edited(before: bytes, path: str, context: Context) -> bytes:
    editor = context.environment.get("VISUAL") or context.environment.get("EDITOR")
    if not editor:
        raise Failure(
            Exit.USAGE,
            "No editor is known.",
            "Set EDITOR, or give the content: packyard edit PACK PATH --from FILE",
        )
    with tempfile.TemporaryDirectory(prefix="packyard-") as folder:
        place = Path(folder, PurePosixPath(path).name)
        place.write_bytes(before)
        try:
            command = shlex.split(editor, posix=os.name != "nt")
            finished = subprocess.run([*command, str(place)], check=False)  # noqa: S603 - the user's own editor
        except (ValueError, OSError):
            raise Failure(
                Exit.USAGE,
                f"The editor {editor!r} cannot be run.",
                "Set EDITOR to a program that is there, or give the content: packyard edit PACK PATH --from FILE",
            ) from None
        if finished.returncode:
            raise Failure(Exit.INTERRUPTED, "The editor failed, so nothing was sent.")
        return place.read_bytes()
