"""`packyard verify` and `packyard update --check`."""

import argparse
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

from packyard_cli.archive import HashedFile, sha256_of_file
from packyard_cli.context import Context
from packyard_cli.failure import Exit
from packyard_cli.installation import Installation
from packyard_cli.kept_proofs import KeptProofs
from packyard_cli.lock_document import LOCK_FILE, Lock, LockedPack
from packyard_cli.locking import fetch_lock
from packyard_cli.proof_record import read_record, record_files
from packyard_cli.proofs import REQUIRED
from packyard_cli.pulled import PULL_FILE, read_pull_record
from packyard_cli.result import Result, counted
from packyard_cli.service import role_path

_THREADS: Final = 2


def verify(options: argparse.Namespace, context: Context) -> Result:
    """Check that an installation holds what its lock lists, and nothing else, and what is signed about its packs.

    Raises:
        Failure: Nothing is installed there.
    """
    installation = Installation.at(Path(options.folder))
    known = _pulled(installation.folder) if installation.has_pull else _installed(installation)
    record = read_record(installation.folder)
    own = {known.own, *record_files(record, known.packs)}
    differences = list(_faults(installation.folder, known.files, own, modes=not context.windows))
    kept = KeptProofs.of(installation.folder, known.packs, record, context)
    required = options.require_provenance or bool(context.environment.get(REQUIRED))
    unproved = kept.faults(required=required)
    faults = [*differences, *unproved]
    lines = [f"{fault['path']}: {fault['reason']}" for fault in faults]
    summary = (
        f"{counted(len(faults), 'difference')} from the {known.source}: {known.repair} --into {options.folder}."
        if faults
        else f"{counted(len(known.files), 'file')} checked: all as in the {known.source} of {known.owner}."
    )
    document = {"verified": not faults, **known.document, "provenance": kept.views(), "faults": faults}
    if options.explain is not None:
        from packyard_cli.explaining import chains, explained  # noqa: PLC0415 - it reads layers

        found = chains(options.explain, installation.folder, kept, context)
        document["chains"] = found
        lines += explained(found)
    return Result(
        document=document,
        lines=[*lines, summary, *kept.lines()],
        essence=lines,
        exit_code=_exit_code(differences, unproved, kept),
    )


def _exit_code(differences: list[Any], unproved: list[Any], kept: KeptProofs) -> Exit:
    if kept.failures:
        return Exit.TAMPERED
    if differences:
        return Exit.DIFFERS
    return Exit.UNPROVED if unproved else Exit.DONE


def update(options: argparse.Namespace, context: Context) -> Result:
    """Say whether an installation is behind its role, or the role behind its packs. It changes nothing.

    Raises:
        Failure: That could not be found out. It is never "up to date" then.
    """
    lock = Installation.at(Path(options.folder)).require_lock()
    service = context.service()
    now = fetch_lock(service, lock.role_id)
    role = service.get(role_path(lock.role_id, "/packs")).body
    behind = _behind(lock, now)
    stale = [str(pin["id"]) for pin in role.get("packs", ()) if pin.get("stale")]
    names = {pack.id: pack.folder for pack in now.packs}
    withdrawn = [pack.folder for pack in now.packs if pack.status not in {"active", "current"}]
    lines = [
        *(f"{line} (packyard install {lock.role_id} --into {options.folder})" for line in behind),
        *(
            f"{names.get(pack, pack)} has a newer revision (packyard roles refresh {lock.role_id})"
            for pack in stale
        ),
        *(f"{name} is withdrawn or deleted: pin another revision" for name in withdrawn),
    ]
    return Result(
        document={
            "stale": bool(lines),
            "role_id": lock.role_id,
            "installed_revision": lock.revision,
            "role_revision": now.revision,
            "installed_behind_role": bool(behind),
            "role_behind_packs": stale,
            "withdrawn": withdrawn,
        },
        lines=lines or [f"{lock.role_id} is up to date."],
        essence=lines,
        exit_code=Exit.STALE if lines else Exit.DONE,
    )


def _behind(lock: Lock, now: Lock) -> list[str]:
    had = {pack.id: pack for pack in lock.packs}
    has = {pack.id: pack for pack in now.packs}
    return [
        *(f"{pack.folder} is not pinned any more" for pack in lock.packs if pack.id not in has),
        *(f"{pack.folder} is new" for pack in now.packs if pack.id not in had),
        *(
            f"{pack.folder} is at revision {had[pack.id].revision}, and the role pins {pack.revision}"
            for pack in now.packs
            if pack.id in had and _differs(had[pack.id], pack)
        ),
    ]


def _differs(one: LockedPack, other: LockedPack) -> bool:
    return (one.image_digest, one.folder) != (other.image_digest, other.folder)


class _Known(NamedTuple):
    """What a folder has to hold.

    Attributes:
        files: By their paths in the folder.
        own: The file that says so.
        source: What that file states: a lock, or an image.
        owner: Whose it is.
        repair: The command that puts the folder right, as advice.
        document: What it is, as JSON.
        packs: The packs.
    """

    files: Mapping[str, HashedFile]
    own: str
    source: str
    owner: str
    repair: str
    document: dict[str, Any]
    packs: tuple[LockedPack, ...]


def _installed(installation: Installation) -> _Known:
    lock = installation.require_lock()
    return _Known(
        files={f"{pack.folder}/{file.path}": file for pack in lock.packs for file in pack.files},
        own=LOCK_FILE,
        source="lock",
        owner=f"{lock.role_id}, revision {lock.revision}",
        repair=f"install again with packyard install {lock.role_id}",
        document={"role_id": lock.role_id, "set_digest": lock.set_digest},
        packs=lock.packs,
    )


def _pulled(folder: Path) -> _Known:
    pack = read_pull_record(folder)
    return _Known(
        files={file.path: file for file in pack.files},
        own=PULL_FILE,
        source="image",
        owner=f"{pack.name} {pack.version}",
        repair=f"pull again with packyard pull {pack.id}",
        document={"pack_id": pack.id, "image_digest": pack.image_digest},
        packs=(pack,),
    )


def _faults(
    folder: Path, files: Mapping[str, HashedFile], own: set[str], *, modes: bool
) -> Iterator[dict[str, Any]]:
    with ThreadPoolExecutor(_THREADS) as pool:
        reasons = pool.map(lambda path: _reason(folder / path, files[path], modes=modes), files)
        for path, reason in zip(files, reasons, strict=True):
            if reason:
                yield {"path": path, "reason": reason}
    expected = {*own, *files}
    for path in _there(folder):
        if path not in expected:
            yield {"path": path, "reason": "unexpected"}


def _reason(place: Path, file: HashedFile, *, modes: bool) -> str | None:
    try:
        status = place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    if not place.is_file() or place.is_symlink():
        return "not a file"
    if modes and bool(status.st_mode & 0o111) != bool(file.mode & 0o111):
        return "other mode"
    if status.st_size != file.size:
        return "other content"
    return None if sha256_of_file(place) == file.sha256 else "other content"


def _there(folder: Path) -> Iterator[str]:
    """Yield the paths of everything in a folder that is not a folder, in order; links are not followed."""
    for root, folders, names in os.walk(folder):
        folders.sort()
        links = [name for name in folders if Path(root, name).is_symlink()]
        for name in sorted([*names, *links]):
            yield Path(root, name).relative_to(folder).as_posix()
