"""A bundle: a role's lock, its images and what is signed about them, in one file (API contract, section 12).

It is an OCI image layout in a tar archive, with `lock.json` beside. It comes from anywhere. Blobs are named by their
digests and are hashed when they are taken into the cache; what is signed is verified when it is used; the lock is
checked as any lock file is.
"""

import base64
import hashlib
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, cast

from packyard.attestations.statement import BILL_OF_MATERIALS, PROVENANCE
from packyard.oci.digest import Digest, parse_digest
from packyard_cli.blob_cache import BlobCache
from packyard_cli.failure import Exit, Failure
from packyard_cli.lock_document import Lock, LockedPack, parse_lock
from packyard_cli.statements import ATTACHED, Statements

_LOCK, _INDEX = "lock.json", "index.json"
_MAX_MEMBERS: Final = 20_000
_MAX_LOCK_BYTES: Final = 64 << 20
_MAX_DOCUMENT_BYTES: Final = 4 << 20
_MAX_DOCUMENTS: Final = 10_000
_MAX_DOCUMENTS_OF_IMAGE: Final = 64
_CHUNK: Final = 256 << 10
_MAX_HEADER_BYTES: Final = 1 << 20
_PREDICATE: Final = "dev.sigstore.bundle.predicateType"
_FETCH_AGAIN: Final = "Fetch the bundle again."


class _Place(NamedTuple):
    offset: int
    size: int


@dataclass(slots=True, kw_only=True)
class Bundle:
    """An open bundle.

    Attributes:
        path: The file.
        file: The same, open.
        places: Where the members' bytes are.
    """

    path: Path
    file: IO[bytes]
    places: Mapping[str, _Place]
    _referrers: dict[Digest, list[Mapping[str, Any]]] | None = field(default=None)

    def lock(self, role: str) -> Lock:
        """Return the bundle's lock.

        Args:
            role: The role that it must be of.

        Raises:
            Failure: There is none, it is damaged, or it is of something else.
        """
        content = self._content(_LOCK, most=_MAX_LOCK_BYTES)
        if content is None:
            raise self._failure(f"it has no {_LOCK}")
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            raise self._failure(f"its {_LOCK} is no JSON") from None
        lock = parse_lock(document)
        if lock.role_id != role:
            raise Failure(
                Exit.LOCK,
                f"{self.path} is the bundle of {lock.role_id!r}, not of {role!r}.",
                f"packyard install {lock.role_id} --from {self.path} installs it.",
            )
        return lock

    def fill(self, cache: BlobCache, lock: Lock) -> None:
        """Take the images that a lock names into the cache. What it lacks is left to whoever needs it.

        Raises:
            Failure: A blob has other bytes than its digest names.
            OSError: The cache cannot be written.
        """
        for pack in lock.packs:
            pending, seen = [pack.image_digest], 0
            while pending and seen < _MAX_DOCUMENTS_OF_IMAGE:
                seen += 1
                digest = pending.pop(0)
                content = self._document(digest)
                if content is not None:
                    cache.keep(digest, content)
                    pending += _named_in(content, "manifests")
            for layer in pack.layers:
                self._take(layer.digest, cache)

    def statements(self, pack: LockedPack) -> Statements | None:
        """Return what the bundle has signed about a pack's image, unverified; None for nothing.

        Raises:
            Failure: A blob has other bytes than its digest names.
        """
        found: dict[str, bytes] = {}
        for manifest in self._referrers_of(pack.image_digest):
            annotations = manifest.get("annotations") or {}
            kind = str(annotations.get(_PREDICATE))
            for digest in _digests(manifest.get("layers")):
                content = self._document(digest)
                # A clone has the same image, and a provenance of its own. What an image holds is the same for both.
                if content is not None and (kind not in found or pack.id.encode() in _payload_of(content)):
                    found[kind] = content
        if not found:
            return None
        return Statements(state=ATTACHED, provenance=found.get(PROVENANCE), bill=found.get(BILL_OF_MATERIALS))

    def _referrers_of(self, image: Digest) -> list[Mapping[str, Any]]:
        if self._referrers is None:
            self._referrers = {}
            index = _object(self._content(_INDEX, most=_MAX_DOCUMENT_BYTES))
            for digest in _digests(index.get("manifests"))[:_MAX_DOCUMENTS]:
                manifest = _object(self._document(digest))
                subject = manifest.get("subject")
                for about in _digests([subject]):
                    self._referrers.setdefault(about, []).append(manifest)
        return self._referrers.get(image, [])

    def _take(self, digest: Digest, cache: BlobCache) -> None:
        place = self.places.get(_name_of(digest))
        # One that is there and damaged is found, and dropped, when it is read.
        if place is None or cache.size(digest) == place.size:
            return
        sha256 = hashlib.sha256()
        with cache.begin(digest) as blob:
            for piece in self._pieces(place):
                sha256.update(piece)
                blob.write(piece)
            self._require(digest, sha256.hexdigest())
            blob.keep()

    def _document(self, digest: Digest) -> bytes | None:
        content = self._content(_name_of(digest), most=_MAX_DOCUMENT_BYTES)
        if content is not None:
            self._require(digest, hashlib.sha256(content).hexdigest())
        return content

    def _require(self, digest: Digest, found: str) -> None:
        if f"sha256:{found}" != digest:
            raise Failure(Exit.TAMPERED, f"{self.path} holds other bytes than {digest} names.", _FETCH_AGAIN)

    def _content(self, name: str, *, most: int) -> bytes | None:
        place = self.places.get(name)
        if place is None:
            return None
        if place.size > most:
            raise self._failure(f"its {name} has {place.size} bytes, and {most} is the most")
        return b"".join(self._pieces(place))

    def _pieces(self, place: _Place) -> Iterator[bytes]:
        self.file.seek(place.offset)
        left = place.size
        while left:
            piece = self.file.read(min(_CHUNK, left))
            if not piece:
                raise self._failure("it ends in the middle")
            left -= len(piece)
            yield piece

    def _failure(self, why: str) -> Failure:
        return _no_bundle(self.path, why)


@contextmanager
def opened_bundle(path: Path) -> Iterator[Bundle]:
    """Yield a bundle.

    Raises:
        Failure: There is none, or it is none.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise Failure(
            Exit.USAGE, f"There is no file {path}.", "Name the bundle.tar that you have fetched."
        ) from None
    with file:
        yield read_bundle(path, file)


def read_bundle(path: Path, file: IO[bytes]) -> Bundle:
    """Return the bundle in an open file, which is read again for what is asked of the bundle.

    Args:
        path: The file, for messages.
        file: The same, open, at its start.

    Raises:
        Failure: It is none.
    """
    return Bundle(path=path, file=file, places=_places_in(path, file))


def _places_in(path: Path, file: IO[bytes]) -> dict[str, _Place]:
    places: dict[str, _Place] = {}
    headers = _Headers(file)
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", headers), mode="r:") as tar:
            for number, member in enumerate(tar):
                if number >= _MAX_MEMBERS:
                    raise _no_bundle(path, f"it has more than {_MAX_MEMBERS} members")
                if member.isdir():
                    continue
                if member.type not in {tarfile.REGTYPE, tarfile.AREGTYPE} or member.name in places:
                    raise _no_bundle(path, f"{member.name!r} is no plain file, or comes twice")
                if not 0 <= member.size <= headers.end - member.offset_data:
                    raise _no_bundle(path, f"{member.name!r} has {member.size} bytes, and it ends before")
                places[member.name] = _Place(member.offset_data, member.size)
    # Of what a header states, this reader of tar raises whatever comes of it; and it calls itself for each that extends
    # another.
    except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
        raise _no_bundle(path, f"it is no tar archive ({error})") from None
    return places


class _Headers:
    """A tar of which only headers are read: no more at once than one may have, and nothing outside of the file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.end = file.seek(0, os.SEEK_END)
        file.seek(0)

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        if not 0 <= size <= _MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a header has {size} bytes")
        return self._file.read(size)

    def seek(self, position: int) -> int:
        """Go to a place."""
        if not 0 <= position <= self.end:
            raise tarfile.ReadError("it ends in the middle")
        return self._file.seek(position)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()


def _no_bundle(path: Path, why: str) -> Failure:
    return Failure(Exit.INVALID, f"{path} is no bundle: {why}.", _FETCH_AGAIN)


def _name_of(digest: Digest) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _object(content: bytes | None) -> Mapping[str, Any]:
    try:
        document = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _named_in(content: bytes, field_name: str) -> list[Digest]:
    return _digests(_object(content).get(field_name))


def _digests(descriptors: Any) -> list[Digest]:
    """Return the digests of descriptors; what is none of them is left out."""
    digests = []
    for descriptor in descriptors if isinstance(descriptors, list) else ():
        try:
            digests.append(parse_digest(str(descriptor["digest"])))
        except (KeyError, TypeError, ValueError):
            continue
    return digests


def _payload_of(content: bytes) -> bytes:
    """Return what a sigstore bundle signs; nothing if it is none."""
    envelope = _object(content).get("dsseEnvelope")
    try:
        return base64.b64decode(envelope["payload"], validate=True) if isinstance(envelope, dict) else b""
    except (KeyError, TypeError, ValueError):
        return b""
