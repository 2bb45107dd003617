"""Where the layers of a pinned image come from: the cache, else the service (API contract, section 8, download).

Nothing is believed but digests. The image's digest names its index, the index its manifests, a manifest its layers.
Each document is hashed, and the lock's layers must be those of a manifest that the image's digest leads to.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock as Mutex
from typing import Any, Final

from packyard.oci.digest import Digest, parse_digest
from packyard_cli.blob_cache import BlobCache
from packyard_cli.failure import Exit, Failure
from packyard_cli.lock_document import LockedLayer
from packyard_cli.service import Service, segment

_MAX_DOCUMENTS: Final = 64
_FETCH: Final = "Fetch it once without --offline."


@dataclass(slots=True, kw_only=True)
class ImageSource:
    """The documents and layers of one pack's image.

    Attributes:
        pack_id: The pack.
        revision: The revision.
        image_digest: The image.
        cache: What was fetched before.
        service: Where the rest is; None for nowhere.
    """

    pack_id: str
    revision: int | None
    image_digest: Digest
    cache: BlobCache
    service: Service | None
    _download: Mapping[str, Any] | None = None
    _asking: Mutex = field(default_factory=Mutex)

    def require_layers(self, layers: Sequence[LockedLayer]) -> None:
        """Check that the image has exactly these layers.

        Raises:
            Failure: It has others, or its documents cannot be had.
        """
        wanted = [(layer.digest, layer.size) for layer in layers]
        pending, seen = [self.image_digest], 0
        while pending and seen < _MAX_DOCUMENTS:
            seen += 1
            document = self._document(pending.pop(0), needed=seen == 1)
            if document is None:
                continue
            try:
                if [(layer["digest"], layer["size"]) for layer in document.get("layers", ())] == wanted:
                    return
                pending += [parse_digest(str(entry["digest"])) for entry in document.get("manifests", ())]
            except (KeyError, TypeError, ValueError):
                break
        raise Failure(
            Exit.TAMPERED,
            f"The image {self.image_digest} of {self.pack_id} does not have the layers that the lock names.",
            "Do not use it: find out who changed the lock or the image.",
        )

    def fetched(self, layer: LockedLayer) -> Iterator[bytes]:
        """Return a layer's bytes from the service, unverified.

        Raises:
            Failure: It cannot be had.
        """
        service = self._online(f"The layer {layer.digest}")
        for listed in self._downloadable()["layers"]:
            if listed["digest"] == layer.digest:
                return service.fetch(str(listed["url"])).pieces(layer.size)
        raise Failure(
            Exit.TAMPERED,
            f"The service offers no layer {layer.digest} of {self.pack_id}.",
            "Write the lock anew with packyard lock ROLE.",
        )

    def _document(self, digest: Digest, *, needed: bool) -> Mapping[str, Any] | None:
        content = self.cache.document(digest)
        if content is None:
            if self.service is None and not needed:
                return None
            self._online(f"The image {digest}")
            content = self._sent_document(digest)
            if content is None:
                return None
            self.cache.keep(digest, content)
        try:
            document = json.loads(content)
        except ValueError:
            return None
        return document if isinstance(document, dict) else None

    def _sent_document(self, digest: Digest) -> bytes | None:
        for document in self._downloadable()["documents"]:
            text = str(document["content"])
            for read in (str.encode, _decoded):
                content = read(text)
                if f"sha256:{hashlib.sha256(content).hexdigest()}" == digest:
                    return content
        return None

    def _downloadable(self) -> Mapping[str, Any]:
        with self._asking:
            if self._download is None:
                query = {} if self.revision is None else {"revision": str(self.revision)}
                path = f"/packs/{segment(self.pack_id)}/download"
                self._download = self._online("The image").get(path, query=query).body
            return self._download or {}

    def _online(self, what: str) -> Service:
        if self.service is None:
            raise Failure(Exit.UNAVAILABLE, f"{what} is not in the cache.", _FETCH, code="not_cached")
        return self.service


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
