"""`packyard install` and `packyard pull`."""

import argparse
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from packyard_cli.blob_cache import BlobCache
from packyard_cli.bundle import Bundle, opened_bundle
from packyard_cli.bundled_statements import BundledStatements
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.image_source import ImageSource
from packyard_cli.installation import Installation, folds_case, require_fit_names
from packyard_cli.lock_document import LOCK_FILE, Lock, LockedPack, read_lock
from packyard_cli.locking import fetch_lock, of_pack, summary
from packyard_cli.offer import offered_pack
from packyard_cli.proof_record import read_record, write_record
from packyard_cli.proofs import begun_proofs
from packyard_cli.proving import PackProof, proof_text
from packyard_cli.pulled import PULL_FILE, pull_record, read_pull_record
from packyard_cli.result import Result, counted, size_text
from packyard_cli.service import Service
from packyard_cli.unpacking import Unpacking

_ASKED_AT_ONCE: Final = 4


def install(options: argparse.Namespace, context: Context) -> Result:
    """Install what a role pins; the folder is as it was if anything fails.

    Raises:
        Failure: Something is not what its digest says, cannot be had, or cannot be held here.
    """
    if options.bundle is None:
        return _install(options, context, None)
    with opened_bundle(Path(options.bundle)) as bundle:
        return _install(options, context, bundle)


def _install(options: argparse.Namespace, context: Context, bundle: Bundle | None) -> Result:
    service = None if options.offline else context.service()
    cache = BlobCache(context.cache())
    lock = _lock(options, service, bundle)
    if bundle is not None:
        bundle.fill(cache, lock)
    for pack in lock.packs:
        if pack.status not in {"active", "current"}:
            context.printer.note(f"{pack.folder} {pack.version} is {pack.status}: consider another revision.")
    kept = BundledStatements(bundle, lock, context) if bundle is not None else None
    with (
        begun_proofs(lock.packs, options, context, service, kept=kept) as proofs,
        Installation.to_fill(Path(options.into)) as installation,
    ):
        installation.require_replaceable()
        if installation.has_pull:
            raise Failure(
                Exit.CONFLICT,
                f"{options.into} holds a pack that was pulled without a role.",
                "Name another folder, or remove this one first.",
            )
        before = _former(installation)
        with installation.replaced() as folder:
            require_fit_names(lock.packs, windows=context.windows, folds_case=folds_case(folder))
            fillings = []
            for pack in lock.packs:
                former = next((each for each in before if each.id == pack.id), None)
                there = installation.folder / former.folder if former else installation.folder
                (folder / pack.folder).mkdir()
                source = _source(pack, pack.revision, cache, service)
                fillings.append(_Filling(folder / pack.folder, pack, source, former, there))
            _fill_all(fillings)
            proved = proofs.finished(read_record(installation.folder).of(proofs.url))
            write_record(folder, proved, url=proofs.url)
            (folder / LOCK_FILE).write_bytes(lock.canonical())
    return _installed(lock, proved, options, installation.folder)


def _lock(options: argparse.Namespace, service: Service | None, bundle: Bundle | None) -> Lock:
    if bundle is not None and not options.frozen:
        return bundle.lock(options.role)
    if options.frozen or service is None:
        return read_lock(Path(options.lock), role=options.role)
    return fetch_lock(service, options.role)


def _installed(lock: Lock, proved: Sequence[PackProof], options: argparse.Namespace, folder: Path) -> Result:
    files = sum(len(pack.files) for pack in lock.packs)
    size = sum(file.size for pack in lock.packs for file in pack.files)
    held = f"{counted(files, 'file')}, {size_text(size)}"
    return Result(
        document={
            "folder": str(folder),
            "files": files,
            "size_bytes": size,
            **summary(lock),
            "packs": [{**of_pack(proof.pack), **proof.view()} for proof in proved],
        },
        lines=[
            *(
                f"{proof.pack.folder} {proof.pack.version} (revision {proof.pack.revision}){proof_text(proof)}"
                for proof in proved
            ),
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
    pack = offered_pack(service, options.pack, options.revision)
    record = pull_record(pack)
    source = _source(pack, options.revision, BlobCache(context.cache()), service)
    with (
        begun_proofs((pack,), options, context, service) as proofs,
        Installation.to_fill(Path(options.into)) as installation,
    ):
        installation.require_replaceable()
        former = _pulled(installation, pack, options.into)
        with installation.replaced() as folder:
            require_fit_names((pack,), windows=context.windows, folds_case=folds_case(folder))
            _fill_all([_Filling(folder, pack, source, former, installation.folder)])
            proved = proofs.finished(read_record(installation.folder).of(proofs.url))
            at_root = [replace(proof, pack=replace(pack, folder="")) for proof in proved]
            write_record(folder, at_root, url=proofs.url)
            (folder / PULL_FILE).write_bytes(record)
    return Result(
        document={
            "folder": str(installation.folder),
            "image_digest": pack.image_digest,
            "files": len(pack.files),
            **proved[0].view(),
        },
        lines=[
            f"{pack.name} is in {options.into}: {counted(len(pack.files), 'file')}, all verified.",
            f"{pack.image_digest}{proof_text(proved[0])}",
        ],
        essence=[pack.image_digest],
    )


def _former(installation: Installation) -> tuple[LockedPack, ...]:
    """Return what is installed; nothing where the lock cannot be used, since nothing depends on it."""
    try:
        lock = installation.lock
    except Failure:
        return ()
    return lock.packs if lock is not None else ()


def _pulled(installation: Installation, pack: LockedPack, into: str) -> LockedPack | None:
    """Return the revision of a pack that was pulled into a folder before; None where nothing or nothing known was.

    Raises:
        Failure: The folder holds a role's packs, or another pack.
    """
    if installation.is_there:
        raise Failure(
            Exit.CONFLICT, f"{into} holds the installation of a role.", "Name a folder that is empty."
        )
    if not installation.has_pull:
        return None
    try:
        former = read_pull_record(installation.folder)
    except Failure:
        return None
    if former.id != pack.id:
        raise Failure(
            Exit.CONFLICT,
            f"{into} holds another pack, {former.name} {former.version}.",
            "Name another folder, or remove this one first.",
        )
    return former


def _source(pack: LockedPack, revision: int | None, cache: BlobCache, service: Service | None) -> ImageSource:
    return ImageSource(
        pack_id=pack.id,
        revision=revision,
        image_digest=pack.image_digest,
        cache=cache,
        service=service,
    )


class _Filling(NamedTuple):
    """The folder of a pack, and what comes into it.

    Attributes:
        folder: The folder, which is empty.
        pack: The pack.
        source: Where its image comes from.
        former: What of the pack was installed before.
        there: Where that is.
    """

    folder: Path
    pack: LockedPack
    source: ImageSource
    former: LockedPack | None
    there: Path

    @property
    def is_new(self) -> bool:
        """Whether the image is another one than before, so that most likely something of it is missing."""
        return self.former is None or self.former.image_digest != self.pack.image_digest


def _fill_all(fillings: Sequence[_Filling]) -> None:
    """Fill the folders of packs, one after the other.

    The service is asked for the images of several at once meanwhile: those answers take longer than a small pack.

    Raises:
        Failure: Something is not what its digest says, or cannot be had.
    """
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        asked = [
            pool.submit(filling.source.require_layers, filling.pack.layers) if filling.is_new else None
            for filling in fillings
        ]
        try:
            for filling, checked in zip(fillings, asked, strict=True):
                _fill(filling, checked)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _fill(filling: _Filling, checked: Future[None] | None) -> None:
    pack, source, former = filling.pack, filling.source, filling.former
    unpacking = Unpacking.of(filling.folder, pack.files)
    known: frozenset[str] = frozenset()
    if former is not None:
        unpacking.take_from(filling.there, {file.path: file for file in former.files})
        known = frozenset(layer.digest for layer in former.layers)
    if unpacking.missing:
        if checked is None:
            source.require_layers(pack.layers)
        else:
            checked.result()
        unpacking.take_layers(source, pack.layers, known)
