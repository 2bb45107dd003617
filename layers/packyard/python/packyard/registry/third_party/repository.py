"""One repository of a registry that others run, read-only (OCI distribution-spec, "Pull").

A registry may keep images in another one and redirect to it, which then asks for a token of its own
(docker-nixpkgs #55, image-factory #73). That one is answered too, but anonymously: nothing that the operator gave is
for it.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import urlsplit

from packyard.errors import InvalidRequest, RegistryUnavailable
from packyard.oci.digest import Digest, digest_of
from packyard.oci.document import Document
from packyard.oci.image_fault import ImageFault
from packyard.oci.media_types import ANY_MANIFEST
from packyard.oci.read.third_party_document import (
    Descriptor,
    ThirdPartyIndex,
    ThirdPartyManifest,
    parse_third_party_document,
)
from packyard.registry.statuses import CLIENT_ERRORS, RETRY_LATER
from packyard.registry.third_party.authorization import Authorizer
from packyard.registry.third_party.guarded_http import BodyTooLarge, GuardedHttp, Reply

# What registries are asked to take (OCI distribution-spec, "Pushing Manifests").
_MAX_MANIFEST: Final = 4 << 20
# Bare, once more at the registry that we are sent on to, with tokens, and with a credential and what replaces it.
_ATTEMPTS: Final = 8
_MANIFESTS: Final = "/manifests/"
_API_PATH: Final = re.compile(r"/v2/(?P<repository>.+)/(?:manifests|blobs)/[^/]+")


@dataclass(frozen=True, slots=True)
class ImageName:
    """What is read, and how it is called where something is said about it.

    Attributes:
        text: The reference in normal form, the tag that was asked for included.
        repository: Path in the registry.
        hint: What helps when it cannot be had.
    """

    text: str
    repository: str
    hint: str

    def unpullable(self) -> InvalidRequest:
        """Return the one error for what is not there, what is not for us, and what is where we do not go."""
        return InvalidRequest({"image_ref": f"{self.text} does not exist, or may not be pulled; {self.hint}"})

    def kept_elsewhere(self, host: str) -> InvalidRequest:
        """Return the error for an image that its registry redirects for, to one that does not let us in."""
        return InvalidRequest(
            {
                "image_ref": f"{self.text} is kept at {host}, to which its registry redirects; there it does not "
                f"exist, or may not be pulled without a login; name the image as {host} has it"
            }
        )


class AnswersChallenges(Protocol):
    """Lets us in where a registry asks who we are."""

    def answer(self, challenges: Iterable[str], *, refused: str | None) -> str | None:
        """Return an `Authorization`, or None when there is none besides `refused`."""
        ...


class ThirdPartyRepository:
    """Manifests and blobs, each checked against its digest.

    Args:
        http: Sends the requests.
        base_url: Scheme, host and port of the registry.
        name: The image.
        authorizer: Answers its challenges.
        authorization: What to show it unasked.
    """

    def __init__(
        self,
        *,
        http: GuardedHttp,
        base_url: str,
        name: ImageName,
        authorizer: AnswersChallenges,
        authorization: str | None = None,
    ) -> None:
        self._http = http
        self._name = name
        self._url = f"{base_url}/v2/{name.repository}"
        self._authorizer = authorizer
        self._authorization = authorization

    def document(
        self, target: str, *, size: int | None = None
    ) -> tuple[Digest, ThirdPartyIndex | ThirdPartyManifest]:
        """Return a manifest or an index, and the digest of the bytes that it came as.

        Args:
            target: A tag or a digest.
            size: Bytes that there must be, as the index states that names it; None for what a client names.

        Raises:
            ImageFault: It is not what we can read, or not as the index states.
            InvalidRequest, TargetRefused, RegistryUnavailable: As for `manifest`.
        """
        found = self.manifest(target, size=size)
        return found.digest, parse_third_party_document(found.raw, content_type=found.media_type)

    def manifest(self, target: str, *, size: int | None = None) -> Document:
        """Return a manifest or an index as it came, of the type that the registry says it is; not yet looked into.

        Args:
            target: A tag or a digest.
            size: As for `document`.

        Raises:
            ImageFault: It is over 4 MiB, or not of the size stated, or not there though an index names it.
            InvalidRequest: On `image_ref`: it does not exist, or may not be pulled.
            TargetRefused: The registry, or what it points to, is where we do not go.
            RegistryUnavailable: No answer, or one of another digest than was asked for.
        """
        named = None if size is None else target
        with self._asked(_MANIFESTS + target, accept=ANY_MANIFEST, named=named) as reply:
            try:
                raw = reply.read(_MAX_MANIFEST)
            except BodyTooLarge:
                raise ImageFault(f"has a manifest over {_MAX_MANIFEST} bytes") from None
            content_type = reply.header("Content-Type").partition(";")[0].strip().lower()
        digest = digest_of(raw)
        if ":" in target and digest != target:
            raise RegistryUnavailable("The registry did not answer with what it was asked for.")
        if size is not None and len(raw) != size:
            raise ImageFault("has an index that states wrong sizes")
        return Document(content_type, raw, digest)

    @contextmanager
    def blob(self, descriptor: Descriptor) -> Iterator[Iterator[bytes]]:
        """Give a blob's bytes; they are known to be right only when all have been read.

        Raises:
            ImageFault: It is not there; or when read to its end: the size stated is wrong.
            InvalidRequest: On `image_ref`: it may not be pulled.
            TargetRefused: The registry points to where we do not go.
            RegistryUnavailable: No answer; or when read: it is cut off, or not of its digest.
        """
        with self._asked(f"/blobs/{descriptor.digest}", accept="*/*", named=descriptor.digest) as reply:
            yield _verified(reply.chunks(), descriptor)

    @contextmanager
    def part(self, descriptor: Descriptor, *, start: int, length: int) -> Iterator[Iterator[bytes]]:
        """Give some bytes of a blob, with one request (RFC 9110, section 14); whether they are right is not known.

        A registry that knows no ranges sends the whole blob, which is then read as far as the part goes.

        Args:
            descriptor: The blob.
            start: Bytes from its start.
            length: Bytes; the part lies inside of the blob.

        Raises:
            ImageFault, InvalidRequest, TargetRefused: As for `blob`.
            RegistryUnavailable: No answer, or another part than was asked for; or when read: it is cut off.
        """
        byte_range = f"bytes={start}-{start + length - 1}"
        digest = descriptor.digest
        asked = self._asked(f"/blobs/{digest}", accept="*/*", named=digest, byte_range=byte_range)
        with asked as reply:
            skipped = start
            if reply.status == HTTPStatus.PARTIAL_CONTENT:
                _check_range(reply, byte_range)
                skipped = 0
            yield _cut(reply.chunks(), skipped, length)

    def content(self, descriptor: Descriptor) -> Iterator[bytes]:
        """Yield a blob's bytes, anew with each call; known to be right only when all have come.

        Raises:
            ImageFault, InvalidRequest, TargetRefused, RegistryUnavailable: As for `blob`.
        """
        with self.blob(descriptor) as chunks:
            yield from chunks

    @contextmanager
    def _asked(
        self, path: str, *, accept: str, named: str | None, byte_range: str | None = None
    ) -> Iterator[Reply]:
        url, authorization = self._url + path, self._authorization
        authorizer: AnswersChallenges = self._authorizer
        elsewhere: str | None = None
        for _ in range(_ATTEMPTS):
            asked = self._http.get(url, accept=accept, authorization=authorization, byte_range=byte_range)
            with asked as reply:
                if reply.status != HTTPStatus.UNAUTHORIZED:
                    if elsewhere is None:
                        self._authorization = authorization
                    if reply.status != HTTPStatus.PARTIAL_CONTENT or byte_range is None:
                        self._check(reply, path, named, elsewhere)
                    yield reply
                    return
                challenges, sent_to = reply.headers("WWW-Authenticate"), reply.url
            if reply.redirected:
                if elsewhere is not None:
                    break
                url, elsewhere = sent_to, urlsplit(sent_to).netloc
                authorizer, authorization = self._stranger(sent_to), None
            authorization = authorizer.answer(challenges, refused=authorization)
            if authorization is None:
                break
        raise self._name.unpullable() if elsewhere is None else self._name.kept_elsewhere(elsewhere)

    def _stranger(self, url: str) -> Authorizer:
        """Return what answers the challenges of a registry that we are sent to, with nothing to show but tokens."""
        parts = urlsplit(url)
        found = _API_PATH.fullmatch(parts.path)
        return Authorizer(
            http=self._http,
            registry=parts.netloc,
            url=f"{parts.scheme}://{parts.netloc}",
            repository=self._name.repository if found is None else found["repository"],
            grant=lambda: None,
        )

    def _check(self, reply: Reply, path: str, named: str | None, elsewhere: str | None) -> None:
        if reply.status == HTTPStatus.OK:
            return
        if reply.status == HTTPStatus.NOT_FOUND and named is not None and not reply.redirected:
            raise ImageFault(
                f"names {named}, which its registry does not hold; push the image again, with all its platforms"
            )
        if reply.status in CLIENT_ERRORS and reply.status not in RETRY_LATER:
            if elsewhere is not None:
                raise self._name.kept_elsewhere(elsewhere)
            # By sending us to where a blob lies, a registry has vouched for it.
            if not reply.redirected or path.startswith(_MANIFESTS):
                raise self._name.unpullable()
        unavailable = RegistryUnavailable("The registry is not able to answer at the moment.")
        unavailable.add_note(f"it answered {reply.status}")
        raise unavailable


def _check_range(reply: Reply, byte_range: str) -> None:
    """Check that a part is the one that was asked for: `bytes 0-99/1234` answers `bytes=0-99`."""
    stated = reply.header("Content-Range").partition("/")[0].replace(" ", "=", 1)
    if stated.lower() != byte_range:
        raise RegistryUnavailable("The registry did not answer with the part that it was asked for.")


def _cut(chunks: Iterator[bytes], skipped: int, length: int) -> Iterator[bytes]:
    for chunk in chunks:
        wanted = chunk[skipped : skipped + length]
        skipped -= min(skipped, len(chunk))
        length -= len(wanted)
        yield wanted
        if not length:
            return
    raise RegistryUnavailable("The registry did not send all that it said it would.")


def _verified(chunks: Iterator[bytes], descriptor: Descriptor) -> Iterator[bytes]:
    sha256 = hashlib.sha256()
    left = descriptor.size
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise RegistryUnavailable("The registry sent more than it said it would.")
        sha256.update(chunk)
        yield chunk
    if f"sha256:{sha256.hexdigest()}" != descriptor.digest:
        raise RegistryUnavailable("The registry did not send all that it said it would, or something else.")
    if left:
        raise ImageFault("has a manifest that states wrong sizes")
