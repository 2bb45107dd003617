"""The bundle for sites without a network: an OCI image layout of a role's images, their statements, and its lock.

The same images always give the same bytes: members are sorted, each blob is there once, and times and owners are fixed
(OCI image-spec, "Image Layout"). skopeo reads an image by its flat name: `oci-archive:bundle.tar:<name>`.
"""

import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final

from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest
from packyard.oci.document import Document
from packyard.oci.media_types import INDEX

LOCK: Final = "lock.json"
_LAYOUT: Final = b'{"imageLayoutVersion":"1.0.0"}'
_REF_NAME: Final = "org.opencontainers.image.ref.name"
_MODE: Final = 0o644
_BLOCK: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledImage:
    """An image of a bundle, with the statements about it.

    Attributes:
        name: What it is called in the bundle; None for a statement, which is found by what it refers to.
        top: The document that it is pinned by.
        documents: All of its documents.
        blobs: The configs and layers that they name.
    """

    name: str | None
    top: Document
    documents: Sequence[Document]
    blobs: Sequence[Descriptor]


Contents = Callable[[Digest], Iterator[bytes]]


def bundle_bytes(images: Iterable[BundledImage], lock: bytes) -> int:
    """Return about how many bytes the bundle of some images has."""
    documents, blobs = _parts(images)
    sizes = [len(raw) for raw in documents.values()] + list(blobs.values())
    return len(lock) + sum(size + 2 * _BLOCK for size in sizes)


def write_bundle(target: IO[bytes], images: Sequence[BundledImage], lock: bytes, contents: Contents) -> None:
    """Write a bundle. One piece of one blob is in memory.

    Args:
        target: Takes the bundle.
        images: In the lock's order.
        lock: The lock document.
        contents: Returns the content of a blob, checked by its digest at its end.

    Raises:
        ValueError: A content is not of its blob's size.
    """
    documents, blobs = _parts(images)
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, raw in (("oci-layout", _LAYOUT), ("index.json", _index(images)), (LOCK, lock)):
            archive.addfile(_member(name, len(raw)), io.BytesIO(raw))
        for digest in sorted({*documents, *blobs}):
            name = f"blobs/{digest.replace(':', '/')}"
            if digest in documents:
                archive.addfile(_member(name, len(documents[digest])), io.BytesIO(documents[digest]))
            else:
                archive.addfile(_member(name, blobs[digest]))
                _append(archive, contents(digest), blobs[digest])


def _parts(images: Iterable[BundledImage]) -> tuple[dict[Digest, bytes], dict[Digest, int]]:
    """Return all documents, and the sizes of all other blobs."""
    documents: dict[Digest, bytes] = {}
    blobs: dict[Digest, int] = {}
    for image in images:
        documents |= {document.digest: document.raw for document in image.documents}
        blobs |= {blob.digest: blob.size for blob in image.blobs}
    return documents, {digest: size for digest, size in blobs.items() if digest not in documents}


def _index(images: Iterable[BundledImage]) -> bytes:
    manifests = [_entry(image) for image in images]
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
    return json.dumps(index, sort_keys=True, separators=(",", ":")).encode()


def _entry(image: BundledImage) -> Mapping[str, Any]:
    top = image.top
    entry: dict[str, Any] = {"mediaType": top.media_type, "digest": top.digest, "size": len(top.raw)}
    if image.name is not None:
        entry["annotations"] = {_REF_NAME: image.name}
    return entry


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, _MODE
    return member


def _append(archive: tarfile.TarFile, pieces: Iterator[bytes], size: int) -> None:
    """Write the content of the member whose header was written last, as `addfile` does it from a file."""
    target: Any = archive.fileobj
    written = 0
    for piece in pieces:
        target.write(piece)
        written += len(piece)
    if written != size:
        raise ValueError("the content is not of the blob's size")
    padding = -size % _BLOCK
    target.write(bytes(padding))
    archive.offset += size + padding
