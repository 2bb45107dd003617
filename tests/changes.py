"""Changes of many files as a client sends them: archives of files, and forms."""

import gzip
import io
import tarfile
from collections.abc import Mapping, Sequence

from tests.gateway import Answer, Request
from tests.service import ACME, Service

from packyard.tenants.caller import Caller

_BOUNDARY = "frontier"


def archive_of(files: Mapping[str, bytes], *, mode: int = 0o644) -> bytes:
    """Return a `.tar.gz` of files by their paths in a pack; a path that ends in a slash is a directory."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.type = tarfile.DIRTYPE if path.endswith("/") else tarfile.REGTYPE
            member.mode, member.size = mode, len(content)
            archive.addfile(member, io.BytesIO(content))
    # The same bytes each time: a repeat with an Idempotency-Key is the same request.
    return gzip.compress(out.getvalue(), mtime=0)


def changes_form(
    files: Mapping[str, bytes] | bytes | None, delete: Sequence[str] = ()
) -> tuple[bytes, dict[str, str]]:
    """Return a form and its headers."""
    archive = archive_of(files) if isinstance(files, Mapping) else files
    parts = [('name="delete"', path.encode()) for path in delete]
    if archive is not None:
        parts.append(('name="archive"; filename="changes.tar.gz"', archive))
    body = b"".join(
        f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {name}\r\n\r\n".encode() + content + b"\r\n"
        for name, content in parts
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    return body + f"--{_BOUNDARY}--\r\n".encode(), headers


def change(
    service: Service,
    pack_id: str,
    files: Mapping[str, bytes] | bytes | None = None,
    delete: Sequence[str] = (),
    *,
    caller: Caller | None = ACME,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Change files of a pack in one request."""
    body, stated = changes_form(files, delete)
    return service.request(
        "change_pack",
        Request(
            method="POST",
            resource="/packs/{id}/changes",
            path=f"/packs/{pack_id}/changes",
            headers=stated | dict(headers or {}),
            body=body,
            caller=caller,
        ),
    )
