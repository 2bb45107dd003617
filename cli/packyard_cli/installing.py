"""`packyard install` and `packyard pull`."""

import argparse
from pathlib import Path

from packyard.oci.digest import parse_digest
from packyard_cli.blob_cache import BlobCache
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.image_source import ImageSource
from packyard_cli.installation import Installation, folds_case, require_fit_names
from packyard_cli.lock_document import LOCK_FILE, Lock, LockedPack, checked_files, checked_layer, read_lock
from packyard_cli.locking import fetch_lock, summary
from packyard_cli.meanwhile import Meanwhile
from packyard_cli.result import Result, counted, size_text
from packyard_cli.service import Service
from packyard_cli.standing import find_pack
from packyard_cli.unpacking import Unpacking


def install(options: argparse.Namespace, context: Context) -> Result:
    """Install what a role pins; the folder is as it was if anything fails.

    Raises:
        Failure: Something is not what its digest says, cannot be had, or cannot be held here.
    """
    service = None if options.offline else context.service()
    if options.frozen or options.offline or service is None:
        lock = read_lock(Path(options.lock), role=options.role)
    else:
        lock = fetch_lock(service, options.role)
    for pack in lock.packs:
        if pack.status not in {"active", "current"}:
            context.printer.note(f"{pack.folder} {pack.version} is {pack.status}: consider another revision.")
    with Installation.to_fill(Path(options.into)) as installation:
        installation.require_replaceable()
        before = _former(installation)
        cache = BlobCache(context.cache())
        with installation.replaced() as folder:
            require_fit_names(lock.packs, windows=context.windows, folds_case=folds_case(folder))
            for pack in lock.packs:
                _fill(folder / pack.folder, pack, before, installation, cache, service)
            (folder / LOCK_FILE).write_bytes(lock.canonical())
    files = sum(len(pack.files) for pack in lock.packs)
    size = sum(file.size for pack in lock.packs for file in pack.files)
    held = f"{counted(files, 'file')}, {size_text(size)}"
    return Result(
        document={"folder": str(installation.folder), "files": files, "size_bytes": size, **summary(lock)},
        lines=[
            *(f"{pack.folder} {pack.version} (revision {pack.revision})" for pack in lock.packs),
            f"{options.role} is installed in {options.into}: {held}, all verified.",
        ],
        essence=[lock.set_digest],
    )


def pull(options: argparse.Namespace, context: Context) -> Result:
    """Fetch one pack into a folder, without a role.

    Raises:
        Failure: As for `install`.
    """
    service = context.service()
    pack = _offered(service, options.pack, options.revision)
    source = ImageSource(
        pack_id=pack.id,
        revision=options.revision,
        image_digest=pack.image_digest,
        cache=BlobCache(context.cache()),
        service=service,
    )
    with Installation.to_fill(Path(options.into)) as installation:
        installation.require_replaceable()
        if installation.is_there:
            raise Failure(
                Exit.CONFLICT,
                f"{options.into} holds the installation of a role.",
                "Name a folder that is empty.",
            )
        with installation.replaced() as folder:
            require_fit_names((pack,), windows=context.windows, folds_case=folds_case(folder))
            source.require_layers(pack.layers)
            Unpacking.of(folder, pack.files).take_layers(source, pack.layers, frozenset())
    return Result(
        document={
            "folder": str(installation.folder),
            "image_digest": pack.image_digest,
            "files": len(pack.files),
        },
        lines=[
            f"{pack.name} is in {options.into}: {counted(len(pack.files), 'file')}, all verified.",
            pack.image_digest,
        ],
        essence=[pack.image_digest],
    )


def _offered(service: Service, text: str, revision: int | None) -> LockedPack:
    """Return what the service offers of a pack for a download."""
    standing = find_pack(service, text)
    query = {} if revision is None else {"revision": str(revision)}
    offered = service.get(f"{standing.path}/download", query=query).body
    listed = service.get(f"{standing.path}/files", query=query).body["files"]
    try:
        return LockedPack(
            id=standing.id,
            folder=str(standing.view["name"]),
            name=str(standing.view["name"]),
            version=str(standing.view["version"]),
            revision=revision or 0,
            image_digest=parse_digest(str(offered["image_digest"])),
            layers=tuple(checked_layer(layer) for layer in offered["layers"]),
            files=checked_files(listed, content_digest=offered.get("content_digest")),
            status="active",
        )
    except (KeyError, TypeError, ValueError):
        raise Failure(Exit.UNAVAILABLE, "The service's answer about the download lacks something.") from None


def _former(installation: Installation) -> Lock | None:
    """Return the lock of what is installed; None where it cannot be used, since nothing depends on it."""
    try:
        return installation.lock
    except Failure:
        return None


def _fill(  # noqa: PLR0913, PLR0917 - what an installation is made of
    folder: Path,
    pack: LockedPack,
    before: Lock | None,
    installation: Installation,
    cache: BlobCache,
    service: Service | None,
) -> None:
    folder.mkdir()
    unpacking = Unpacking.of(folder, pack.files)
    source = ImageSource(
        pack_id=pack.id,
        revision=pack.revision,
        image_digest=pack.image_digest,
        cache=cache,
        service=service,
    )
    former = next((each for each in before.packs if each.id == pack.id), None) if before else None
    known: frozenset[str] = frozenset()
    checked = None
    if former is not None:
        if former.image_digest != pack.image_digest:
            # Most likely, files are missing. So the service is asked while the others are hashed.
            checked = Meanwhile(lambda: source.require_layers(pack.layers))
        unpacking.take_from(installation.folder / former.folder, {file.path: file for file in former.files})
        known = frozenset(layer.digest for layer in former.layers)
    if unpacking.missing:
        if checked is None:
            source.require_layers(pack.layers)
        else:
            checked.result()
        unpacking.take_layers(source, pack.layers, known)
