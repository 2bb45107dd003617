"""`packyard lock`: what a role pins, as a file."""

import argparse
from pathlib import Path

from packyard_cli.context import Context
from packyard_cli.lock_document import Lock, LockedPack, parse_lock
from packyard_cli.result import Result
from packyard_cli.service import Service, role_path
from packyard_cli.settings import write_whole


def lock(options: argparse.Namespace, context: Context) -> Result:
    """Write the lock of a role.

    Raises:
        Failure: There is no such role, or the file cannot be written.
    """
    fetched = fetch_lock(context.service(), options.role)
    output = Path(options.output)
    write_whole(output, fetched.canonical())
    packs = [
        f"  {pack.folder} {pack.version}, revision {pack.revision}, {pack.image_digest}"
        for pack in fetched.packs
    ]
    return Result(
        document={"lock": str(output), **summary(fetched)},
        lines=[f"{output}: role {fetched.role_id} at revision {fetched.revision}", *packs],
        essence=[fetched.set_digest],
    )


def fetch_lock(service: Service, role: str, *, with_files: bool = True) -> Lock:
    """Return the lock of a role as the service has it now."""
    query = {"files": "true"} if with_files else {}
    answer = service.get(role_path(role, "/lock"), query=query)
    return parse_lock(answer.body, needs_files=with_files)


def summary(of: Lock) -> dict[str, object]:
    """Return what a lock pins, as JSON."""
    packs = [of_pack(pack) for pack in of.packs]
    return {"role_id": of.role_id, "revision": of.revision, "set_digest": of.set_digest, "packs": packs}


def of_pack(pack: LockedPack) -> dict[str, object]:
    """Return what a lock pins of one pack, as JSON."""
    return {
        "id": pack.id,
        "name": pack.name,
        "folder": pack.folder,
        "version": pack.version,
        "revision": pack.revision,
        "image_digest": pack.image_digest,
        "status": pack.status,
    }
