"""Reads the signatures and attestations that a registry holds beside an image.

They are in four places: behind the referrers API (OCI distribution-spec 1.1, "Listing Referrers"), in the index under
the tag `sha256-<hex>` where a registry has no such API ("Referrers Tag Schema"), and under the tags `.sig` and `.att`
that cosign up to version 2 writes. What is found there is checked against its digest and not verified.

- An answer that is no list of referrers says that there is no such API: 404, 400, 405, 406, 501, a refusal, or a 200 of
  another type (sigstore-js#1187). Then the tag is looked at, as also when the list is empty (GHCR).
- A registry that is busy has not said that there are none: the request fails (giantswarm/retagger#1239).
- GitLab answers the tag `sha256-<hex>` with the image itself (oras-go#1396). Each manifest must name the image as its
  subject, so that no platform of it passes for a signature.
- Old libraries write no type, or that of the empty config, into the list (cosign#4641). What a manifest has for layers
  decides, whatever the list says of it.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from packyard.errors import InvalidRequest, RegistryUnavailable
from packyard.network.guard import TargetRefused
from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest, digest_of, parse_digest
from packyard.oci.image_fault import ImageFault
from packyard.oci.media_types import INDEX, MANIFEST
from packyard.registry.third_party.repository import Listed, ThirdPartyRepository
from packyard.signatures.brought import (
    ANNOTATIONS,
    MAX_BYTES,
    MAX_BYTES_EACH,
    MAX_KEPT,
    READABLE,
    Brought,
    ImageSignatures,
)

# What the manifests of referrers and the lists of them may have together, and how many of either are read.
_MAX_DOCUMENT: Final = 512 << 10
_MAX_MANIFESTS: Final = 24
_MAX_PAGES: Final = 3
_MAX_ENTRIES: Final = 1000
_MAX_ANNOTATION: Final = 16 << 10
_MAX_TYPE: Final = 128
_EMPTY: Final = "application/vnd.oci.empty.v1+json"
_ACCEPT: Final = f"{INDEX}, {MANIFEST}"


def read_signatures(
    repository: ThirdPartyRepository, *, name: str, digest: Digest, at: datetime
) -> ImageSignatures:
    """Return what an image brings. At most about 70 requests, for images with very many signatures; usually 4 to 6.

    Args:
        repository: The image's repository.
        name: Its registry and path.
        digest: The digest of the image, or of its index.
        at: The present instant, UTC.

    Raises:
        RegistryUnavailable: The registry did not answer, or not in time.
    """
    return _Search(repository, digest).all(name, at)


class _Search:
    """One image's signatures, as they are found."""

    def __init__(self, repository: ThirdPartyRepository, digest: Digest) -> None:
        self._repository = repository
        self._digest = digest
        self._tag = digest.replace(":", "-")
        self._found: dict[tuple[Digest, str], Brought] = {}
        self._seen: set[Digest] = {digest}
        self._looked_at: list[str] = []
        self._complete = True
        self._manifests_left = _MAX_MANIFESTS
        self._bytes_left = MAX_BYTES

    def all(self, name: str, at: datetime) -> ImageSignatures:
        self._referrers()
        for suffix in (".sig", ".att"):
            self._cosign_tag(f"{self._tag}{suffix}")
        return ImageSignatures(
            repository=name,
            digest=self._digest,
            found=tuple(self._found.values()),
            looked_at=tuple(self._looked_at),
            complete=self._complete,
            at=at,
        )

    def _referrers(self) -> None:
        listed = list(self._by_api())
        where = "referrers"
        if not listed:
            where = f"tag {self._tag}"
            listed = list(self._by_tag())
        for descriptor in listed:
            if descriptor.digest in self._seen:
                continue
            self._seen.add(descriptor.digest)
            if not self._manifests_left:
                self._complete = False
                return
            self._manifests_left -= 1
            self._manifest(descriptor, where)

    def _by_api(self) -> Iterator[Descriptor]:
        """Yield what the referrers API lists; nothing if there is no such API."""
        page: str | None = f"/referrers/{self._digest}"
        for _ in range(_MAX_PAGES):
            if page is None:
                return
            listed = self._repository.listed(page, accept=INDEX, max_bytes=_MAX_DOCUMENT)
            document = _index(listed)
            if document is None:
                self._looked_at.append(f"referrers API: {_answer(listed)}")
                return
            entries = list(_descriptors(document.get("manifests")))
            self._looked_at.append(f"referrers API: lists {len(entries)}")
            yield from entries
            page = listed.next_page
        self._complete = self._complete and page is None

    def _by_tag(self) -> Iterator[Descriptor]:
        listed = self._repository.listed(f"/manifests/{self._tag}", accept=_ACCEPT, max_bytes=_MAX_DOCUMENT)
        document = _index(listed)
        if document is None or digest_of(listed.raw) == self._digest:
            absent = "the image itself" if document is not None else _answer(listed)
            self._looked_at.append(f"tag {self._tag}: {absent}")
            return
        entries = list(_descriptors(document.get("manifests")))
        self._looked_at.append(f"tag {self._tag}: lists {len(entries)}")
        yield from entries

    def _manifest(self, descriptor: Descriptor, where: str) -> None:
        listed = self._repository.listed(
            f"/manifests/{descriptor.digest}", accept=_ACCEPT, max_bytes=_MAX_DOCUMENT
        )
        if listed.status != HTTPStatus.OK or digest_of(listed.raw) != descriptor.digest:
            self._looked_at.append(f"{descriptor.digest}: {_answer(listed)}")
            self._complete = False
            return
        document = _object(listed.raw)
        subject = document.get("subject")
        if isinstance(subject, dict) and subject.get("digest") == self._digest:
            self._layers(document, descriptor.digest, where)

    def _cosign_tag(self, tag: str) -> None:
        listed = self._repository.listed(f"/manifests/{tag}", accept=_ACCEPT, max_bytes=_MAX_DOCUMENT)
        if listed.status != HTTPStatus.OK:
            self._looked_at.append(f"tag {tag}: {_answer(listed)}")
            return
        before = len(self._found)
        self._layers(_object(listed.raw), digest_of(listed.raw), f"tag {tag}")
        self._looked_at.append(f"tag {tag}: has {len(self._found) - before}")

    def _layers(self, document: Mapping[str, Any], manifest: Digest, where: str) -> None:
        """Take what a manifest carries. The newest is last, and is taken first when there are too many."""
        layers = document.get("layers")
        for layer in reversed(layers[-_MAX_ENTRIES:] if isinstance(layers, list) else []):
            descriptor = _descriptor(layer)
            if descriptor is None:
                continue
            annotations = _annotations(layer)
            key = descriptor.digest, json.dumps(annotations, sort_keys=True)
            if key in self._found:
                continue
            if len(self._found) == MAX_KEPT:
                self._complete = False
                return
            self._found[key] = self._kept(descriptor, annotations, manifest, where)

    def _kept(
        self, descriptor: Descriptor, annotations: Mapping[str, str], manifest: Digest, where: str
    ) -> Brought:
        content = None
        size = descriptor.size + sum(map(len, annotations.values()))
        if descriptor.media_type in READABLE:
            if size <= min(MAX_BYTES_EACH, self._bytes_left):
                content = self._content(descriptor)
            self._complete = self._complete and content is not None
        if content is not None:
            self._bytes_left -= size
        return Brought(
            where=where,
            manifest=manifest,
            digest=descriptor.digest,
            media_type=descriptor.media_type,
            size=descriptor.size,
            content=content,
            annotations=annotations if content is not None else {},
        )

    def _content(self, descriptor: Descriptor) -> bytes | None:
        try:
            return b"".join(self._repository.content(descriptor))
        except (ImageFault, InvalidRequest, TargetRefused):
            # The registry has lost it or keeps it elsewhere, or the manifest states another size.
            return None


def _index(listed: Listed) -> Mapping[str, Any] | None:
    """Return the list in an answer; None if it is something else."""
    if listed.status != HTTPStatus.OK or listed.media_type != INDEX:
        return None
    document = _object(listed.raw)
    return document if isinstance(document.get("manifests"), list) else None


def _answer(listed: Listed) -> str:
    if listed.status != HTTPStatus.OK:
        return f"answers {listed.status}"
    return (
        "is too large"
        if listed.too_large
        else f"is of another type, {listed.media_type[:_MAX_TYPE] or 'none'}"
    )


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _descriptors(entries: Any) -> Iterator[Descriptor]:
    """Yield the entries of a list, those first that may be signatures."""
    given = entries[:_MAX_ENTRIES] if isinstance(entries, list) else []
    for entry in sorted((entry for entry in given if isinstance(entry, dict)), key=_rank):
        found = _descriptor(entry)
        if found is not None:
            yield found


def _rank(entry: Mapping[str, Any]) -> int:
    stated = entry.get("artifactType")
    if isinstance(stated, str) and stated in READABLE:
        return 0
    return 1 if not stated or stated == _EMPTY else 2


def _descriptor(entry: Any) -> Descriptor | None:
    if not isinstance(entry, dict):
        return None
    media_type, digest, size = (entry.get(name) for name in ("mediaType", "digest", "size"))
    if not isinstance(media_type, str) or not media_type.isascii() or not isinstance(digest, str):
        return None
    if type(size) is not int or size < 0:
        return None
    try:
        return Descriptor(media_type[:_MAX_TYPE], parse_digest(digest), size)
    except ValueError:
        return None


def _annotations(layer: Mapping[str, Any]) -> dict[str, str]:
    """Return the annotations that cosign writes; one that is too large is as if it were absent."""
    given = layer.get("annotations")
    if not isinstance(given, dict):
        return {}
    return {
        name: value
        for name in ANNOTATIONS
        if isinstance(value := given.get(name), str) and value.isascii() and len(value) <= _MAX_ANNOTATION
    }


def unread(name: str, digest: Digest, at: datetime, why: RegistryUnavailable) -> ImageSignatures:
    """Return that nothing is known of what an image brings.

    Args:
        name: Its registry and path.
        digest: Of the image.
        at: The present instant, UTC.
        why: What kept it from being read.
    """
    return ImageSignatures(
        repository=name, digest=digest, looked_at=(f"nothing: {why}",), complete=False, unread=str(why), at=at
    )
