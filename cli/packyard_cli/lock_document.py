"""The lock document: what a role pins, byte for byte (API contract, section 8).

A lock comes from the service or from a file, and either may be damaged or made by somebody else. So every name in it is
checked before it becomes a path here.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from packyard.oci.content_digest import content_digest_of
from packyard.oci.digest import Digest, parse_digest
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.member_path import parse_member_path, shown
from packyard.packs.archive.path_tree import PathTree
from packyard_cli.archive import HashedFile
from packyard_cli.failure import Exit, Failure

LOCK_FILE: Final = "packyard.lock"
_VERSION: Final = 1
_SHA256: Final = "sha256:"
# A folder below the installation. What begins with a dot is the installation's own.
_FOLDER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
# Images of others may be deeper than archives; the bounds are those of Linux.
_LIMITS: Final = ArchiveLimits(path_bytes=4096, path_depth=256)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedLayer:
    """A layer of a pinned image.

    Attributes:
        digest: Of the blob.
        size: Of the blob, in bytes.
        media_type: As in its manifest.
    """

    digest: Digest
    size: int
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPack:
    """A pack at the revision that a role pins.

    Attributes:
        id: The pack.
        folder: Where it is installed, below the installation: its alias, or else its name.
        name: Its name.
        version: Its version.
        revision: The pinned revision.
        image: The pinned image's repository and digest, to pull.
        image_digest: The pinned image.
        layers: The image's layers, the lowest first.
        files: Its files.
        status: `active`, or why it should be replaced.
    """

    id: str
    folder: str
    name: str
    version: str
    revision: int
    image: str
    image_digest: Digest
    layers: tuple[LockedLayer, ...]
    files: tuple[HashedFile, ...]
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock document.

    Attributes:
        role_id: The role.
        revision: The role's revision.
        packs: What it pins.
        set_digest: The name of the set of images.
        document: The document as it came.
    """

    role_id: str
    revision: int
    packs: tuple[LockedPack, ...]
    set_digest: str
    document: Mapping[str, Any]

    def canonical(self) -> bytes:
        """Return the document in canonical JSON (RFC 8785; its keys are ASCII and its numbers whole), and a newline."""
        text = json.dumps(self.document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return text.encode() + b"\n"


def read_lock(path: Path, *, role: str | None = None, needs_files: bool = True) -> Lock:
    """Return the lock in a file.

    Args:
        path: The file.
        role: The role that it must be of.
        needs_files: Whether it must list the files of every pack.

    Raises:
        Failure: There is none, it is damaged, or it is of another role.
    """
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise Failure(
            Exit.LOCK,
            f"There is no lock file {path}.",
            "Write it with packyard lock ROLE, or name it with --lock.",
        ) from None
    except (ValueError, RecursionError):
        raise Failure(
            Exit.LOCK, f"{path} is no lock document.", "Write it anew with packyard lock ROLE."
        ) from None
    lock = parse_lock(document, needs_files=needs_files)
    if role is not None and lock.role_id != role:
        raise Failure(
            Exit.LOCK,
            f"{path} is the lock of the role {lock.role_id!r}, not of {role!r}.",
            "Name the right file.",
        )
    return lock


def parse_lock(document: Any, *, needs_files: bool = True) -> Lock:
    """Return a lock document, checked.

    Args:
        document: The document.
        needs_files: Whether it must list the files of every pack.

    Raises:
        Failure: It is not one, contradicts itself, or holds a name that leads outside.
    """
    try:
        if document["lock_version"] != _VERSION:
            raise Failure(
                Exit.LOCK,
                f"The lock has version {document['lock_version']}, which this command does not know.",
                "Install a newer packyard.",
            )
        lock = Lock(
            role_id=str(document["role_id"]),
            revision=int(document["revision"]),
            packs=tuple(_pack(pack, needs_files=needs_files) for pack in document["packs"]),
            set_digest=str(document["set_digest"]),
            document=document,
        )
        # Half of a surrogate pair is JSON and no text.
        lock.canonical()
    except KeyError as error:
        raise Failure(
            Exit.LOCK, f"This is no lock document: it lacks {error}.", "Write it with packyard lock ROLE."
        ) from None
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise Failure(
            Exit.LOCK,
            "This is no lock document: a value in it is not of the kind that its schema says.",
            "Write it with packyard lock ROLE.",
        ) from None
    if set_digest_of(lock.packs) != lock.set_digest:
        raise Failure(Exit.TAMPERED, "The lock's set_digest is not that of its packs.", _DO_NOT_TRUST)
    folders = [pack.folder for pack in lock.packs]
    twice = next((folder for folder in folders if folders.count(folder) > 1), None)
    if twice is not None:
        raise Failure(
            Exit.LOCK, f"Two packs of the lock are called {twice!r}.", "Give one an alias in the role."
        )
    return lock


def set_digest_of(packs: Iterable[LockedPack]) -> str:
    """Return the name of a set of images: the SHA-256 of the lines `id NUL image_digest LF`, sorted by id."""
    lines = sorted((pack.id, pack.image_digest) for pack in packs)
    text = "".join(f"{pack_id}\0{digest}\n" for pack_id, digest in lines)
    return f"{_SHA256}{hashlib.sha256(text.encode()).hexdigest()}"


def checked_files(
    files: Iterable[Mapping[str, Any]], *, content_digest: str | None
) -> tuple[HashedFile, ...]:
    """Return files as documents list them.

    Raises:
        Failure: A path leads outside, two paths exclude each other, or the content digest is of other files.
        KeyError, TypeError, ValueError: A file lacks something.
    """
    tree = PathTree()
    checked = []
    for file in files:
        path = str(file["path"])
        try:
            normal = parse_member_path(path.encode(errors="surrogateescape"), directory=False, limits=_LIMITS)
            tree.add(normal, directory=False)
        except ValueError as error:
            raise Failure(
                Exit.OUTSIDE,
                f"The name {shown(path.encode(errors='replace'))} is not taken: {error}.",
                _DO_NOT_TRUST,
            ) from None
        if normal != path:
            raise Failure(Exit.OUTSIDE, f"The name {path!r} is no plain path.", _DO_NOT_TRUST)
        mode = file["mode"] if isinstance(file["mode"], int) else int(str(file["mode"]), base=8)
        mode = 0o755 if mode & 0o111 else 0o644
        digest = parse_digest(str(file["digest"]))
        checked.append(
            HashedFile(path=path, size=int(file["size"]), mode=mode, sha256=digest.removeprefix(_SHA256))
        )
    if content_digest is not None and content_digest_of(checked) != content_digest:
        raise Failure(Exit.TAMPERED, "The content digest is not that of the files listed.", _DO_NOT_TRUST)
    return tuple(checked)


_DO_NOT_TRUST: Final = "Do not use it: find out who made or changed it."


def _pack(pack: Mapping[str, Any], *, needs_files: bool) -> LockedPack:
    folder = str(pack.get("alias") or pack["name"])
    if _FOLDER.fullmatch(folder) is None or folder.casefold() == LOCK_FILE:
        raise Failure(Exit.OUTSIDE, f"The pack's name {folder!r} is no name of a folder.", _DO_NOT_TRUST)
    if needs_files and "files" not in pack:
        raise Failure(
            Exit.LOCK,
            f"The lock does not list the files of {folder!r}.",
            "Write it with packyard lock ROLE; an image of another registry is listed once the service has read it.",
        )
    content_digest = pack.get("content_digest") if "files" in pack else None
    return LockedPack(
        id=str(pack["id"]),
        folder=folder,
        name=str(pack["name"]),
        version=str(pack["version"]),
        revision=int(pack["revision"]),
        image=str(pack.get("image", "")),
        image_digest=parse_digest(str(pack["image_digest"])),
        layers=tuple(checked_layer(layer) for layer in pack["layers"]),
        files=checked_files(pack.get("files", ()), content_digest=content_digest),
        status=str(pack.get("status", "active")),
    )


def checked_layer(layer: Mapping[str, Any]) -> LockedLayer:
    """Return a layer as documents list it.

    Raises:
        KeyError, TypeError, ValueError: It lacks something.
    """
    return LockedLayer(
        digest=parse_digest(str(layer["digest"])),
        size=int(layer["size"]),
        media_type=str(layer.get("media_type", "")),
    )
