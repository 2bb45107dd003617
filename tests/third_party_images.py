"""Images as others build them: any number of layers, of any kind, under manifests of either family."""

import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from isal import igzip
from tests.fake_registry.shelves import Manifest, Repository

from packyard.oci.digest import Digest, digest_of
from packyard.oci.document import Document
from packyard.oci.media_types import DOCKER_INDEX, DOCKER_MANIFEST, GZIP_LAYER, INDEX, MANIFEST

PACK_YAML: Final = b"name: slack\nversion: 1.4.0\n"
DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
_CONFIG: Final = "application/vnd.oci.image.config.v1+json"

Member = tuple[str, bytes] | tarfile.TarInfo


def tar(*members: Member, format: int = tarfile.PAX_FORMAT) -> bytes:  # noqa: A002 - as tarfile calls it
    """Return the tar of members: files by name and content, or anything else as tarfile describes it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                archive.addfile(named(member[0], size=len(member[1])), io.BytesIO(member[1]))
    return out.getvalue()


def named(name: str, **fields: Any) -> tarfile.TarInfo:
    """Return a member by its name and what else tarfile is to say of it."""
    member = tarfile.TarInfo(name)
    for key, value in fields.items():
        setattr(member, key, value)
    return member


def gzipped(content: bytes) -> bytes:
    """Return one gzip member, which states no time: the same image made a second later is the same."""
    return igzip.compress(content, mtime=0)


@dataclass(frozen=True)
class Blob:
    """A blob, and what a manifest states of it: the truth, unless `states` says otherwise."""

    content: bytes
    media_type: str = GZIP_LAYER
    states: Mapping[str, Any] = field(default_factory=dict)

    def descriptor(self) -> dict[str, Any]:
        """Return the descriptor."""
        truth = {"mediaType": self.media_type, "digest": digest_of(self.content), "size": len(self.content)}
        return truth | dict(self.states)


def layer(*members: Member, **fields: Any) -> Blob:
    """Return a gzip layer."""
    return Blob(gzipped(tar(*members)), **fields)


@dataclass(frozen=True)
class ForeignImage:
    """One image: config and layers under a manifest of OCI's family or of Docker's."""

    layers: tuple[Blob, ...]
    docker: bool = False

    @property
    def config(self) -> Blob:
        """The config, different for different layers."""
        rootfs = {"type": "layers", "diff_ids": [digest_of(blob.content) for blob in self.layers]}
        body = {"architecture": "amd64", "os": "linux", "rootfs": rootfs}
        return Blob(json.dumps(body).encode(), _DOCKER_CONFIG if self.docker else _CONFIG)

    @property
    def manifest(self) -> Document:
        """The manifest."""
        media_type = DOCKER_MANIFEST if self.docker else MANIFEST
        layers = [blob.descriptor() for blob in self.layers]
        body = {"schemaVersion": 2, "mediaType": media_type, "config": self.config.descriptor()}
        return Document.of(media_type, body | {"layers": layers})

    @property
    def size_bytes(self) -> int:
        """Config plus layers."""
        return sum(len(blob.content) for blob in (self.config, *self.layers))

    def shelve(self, repository: Repository, *tags: str) -> Digest:
        """Put the image into a fake registry, as it is, and return its digest."""
        for blob in (self.config, *self.layers):
            repository.blobs[digest_of(blob.content)] = blob.content
        return shelve(repository, self.manifest, *tags)


def image(*layers: Blob, docker: bool = False) -> ForeignImage:
    """Return an image of these layers, the lowest first."""
    return ForeignImage(layers, docker)


def pack_image(content: bytes = PACK_YAML) -> ForeignImage:
    """Return an image that holds a pack.yaml and nothing else."""
    return image(layer(("pack.yaml", content)))


def index(*entries: tuple[Document, str | None], docker: bool = False, **more: Any) -> Document:
    """Return an index of documents, each with its platform (`linux/amd64`), or None to state none."""
    manifests = []
    for document, platform in entries:
        entry = document.descriptor()
        if platform is not None:
            os, _, architecture = platform.partition("/")
            entry["platform"] = {"os": os, "architecture": architecture}
        manifests.append(entry)
    media_type = DOCKER_INDEX if docker else INDEX
    body = {"schemaVersion": 2, "mediaType": media_type, "manifests": manifests}
    return Document.of(media_type, body | more)


def shelve(repository: Repository, document: Document, *tags: str) -> Digest:
    """Put a document into a fake registry without a look at it, and return its digest."""
    repository.manifests[document.digest] = Manifest(document.media_type, document.raw)
    repository.tags |= dict.fromkeys(tags, document.digest)
    return document.digest


def pieces(content: bytes, size: int) -> Iterable[bytes]:
    """Yield `content` in pieces of `size` bytes."""
    return (content[at : at + size] for at in range(0, len(content), size))
