"""Reads an image in a registry by its digest and hashes everything.

It shares no code with the service, so that it cannot repeat the service's mistakes.
"""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from typing import Any, Final

# Takes a URL and request headers. Returns the status and the body.
Get = Callable[[str, Mapping[str, str]], tuple[int, bytes]]

_OK: Final = 200
_NOT_FOUND: Final = 404
_ACCEPTED: Final = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, */*"


class NotVerified(Exception):
    """The pack or its image is not as it should be. The message says what is wrong."""


class ImageReader:
    """Reads the images of one repository.

    Args:
        get: Sends a GET request, with the registry's credential if it needs one.
        repository_url: The registry's URL, `/v2/`, and the repository's name.
    """

    def __init__(self, get: Get, repository_url: str) -> None:
        self._get = get
        self._url = repository_url
        self._seen: set[str] = set()

    @property
    def read(self) -> int:
        """How many blobs and manifests have been read."""
        return len(self._seen)

    def trees(self, digest: str) -> list[Mapping[str, bytes]]:
        """Return the files of each platform's image, by path.

        Args:
            digest: Of an index or of a manifest.

        Raises:
            NotVerified: A part of it is missing, or does not match its digest.
        """
        document = json.loads(self._content("manifests", digest))
        if "manifests" in document:
            return [tree for entry in document["manifests"] for tree in self.trees(entry["digest"])]
        self._content("blobs", document["config"]["digest"])
        files: dict[str, bytes] = {}
        for layer in document["layers"]:
            files |= _unpacked(self._content("blobs", layer["digest"]))
        return [files]

    def has(self, digest: str) -> bool:
        """Return whether the registry has a manifest.

        Raises:
            NotVerified: The registry's answer says neither.
        """
        status, _ = self._get(f"{self._url}/manifests/{digest}", {"Accept": _ACCEPTED})
        if status not in (_OK, _NOT_FOUND):
            raise NotVerified(f"the registry answered {status} when it was asked whether it has {digest}")
        return status == _OK

    def _content(self, kind: str, digest: str) -> bytes:
        status, content = self._get(f"{self._url}/{kind}/{digest}", {"Accept": _ACCEPTED})
        found = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if status != _OK or found != digest:
            raise NotVerified(f"the registry answered {status} for {digest}, with content of {found}")
        self._seen.add(digest)
        return content


def _unpacked(layer: bytes) -> Mapping[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer))) as tar:
        contents: dict[str, Any] = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
        return {name: content.read() for name, content in contents.items()}
