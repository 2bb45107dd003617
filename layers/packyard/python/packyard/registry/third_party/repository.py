"""Reads manifests and blobs from one repository (OCI distribution-spec, "Pull").

A registry may redirect to another registry, which then requires a token of its own (docker-nixpkgs #55, image-factory
#73). We request that token anonymously: the operator's credential is not for the other registry.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

from packyard.errors import InvalidRequest, RegistryUnavailable
from packyard.network.guard import TargetRefused
from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest, digest_of
from packyard.oci.document import Document
from packyard.oci.image_fault import ImageFault
from packyard.oci.media_types import ANY_MANIFEST
from packyard.registry.statuses import CLIENT_ERRORS, RETRY_LATER
from packyard.registry.third_party.guarded_http import BodyTooLarge, GuardedHttp, Reply

if TYPE_CHECKING:
    from packyard.oci.read.third_party_document import ThirdPartyIndex, ThirdPartyManifest

# The size that registries are asked to accept (OCI distribution-spec, "Pushing Manifests").
_MAX_MANIFEST: Final = 4 << 20
# One without authorization, one at the registry of a redirect, several tokens, and a credential and its replacement.
_ATTEMPTS: Final = 8
_MANIFESTS: Final = "/manifests/"
_NEXT_PAGE: Final = re.compile(r'<(?P<target>[^<>\s]{1,2000})>\s*;[^,]*\brel="?next"?', re.IGNORECASE)
_API_PATH: Final = re.compile(r"/v2/(?P<repository>.+)/(?:manifests|blobs)/[^/]+")


@dataclass(frozen=True, slots=True)
class ImageName:
    """The image that is read, with the texts for messages about it.

    Attributes:
        text: The reference in normal form, with the requested tag.
        repository: The repository's path in the registry.
        hint: The advice when it cannot be pulled.
    """

    text: str
    repository: str
    hint: str

    def unpullable(self) -> InvalidRequest:
        """Return the error for an image that is absent, may not be pulled, or is on a host that may not be reached.

        It is the same for all three, so that a client cannot tell them apart.
        """
        return InvalidRequest({"image_ref": f"{self.text} does not exist, or may not be pulled; {self.hint}"})

    def kept_elsewhere(self, host: str) -> InvalidRequest:
        """Return the error for an image whose registry redirects to `host`, which refuses an anonymous pull."""
        return InvalidRequest(
            {
                "image_ref": f"{self.text} is kept at {host}, to which its registry redirects; there it does not "
                f"exist, or may not be pulled without a login; name the image as {host} has it"
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An answer to a request for a document that may be absent.

    Attributes:
        status: The HTTP status; 401 also when the registry, or a host that it names, refuses all that may be shown.
        media_type: The `Content-Type`, in lower case, without parameters.
        raw: The body; empty with another status than 200, and if it was too large.
        too_large: Whether it was.
        next_page: The path of the next page, as for `listed`; None for none.
    """

    status: int
    media_type: str = ""
    raw: bytes = b""
    too_large: bool = False
    next_page: str | None = None


class AnswersChallenges(Protocol):
    """Answers the challenges of a registry."""

    def answer(self, challenges: Iterable[str], *, refused: str | None) -> str | None:
        """Return an `Authorization` other than `refused`, or None when there is none."""
        ...


class ThirdPartyRepository:
    """Reads manifests and blobs, and checks them against their digests.

    Args:
        http: Sends the requests.
        base_url: Scheme, host and port of the registry.
        name: The image.
        authorizer: Answers the registry's challenges.
        authorization: The `Authorization` to send before any challenge; None to send none.
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
    ) -> "tuple[Digest, ThirdPartyIndex | ThirdPartyManifest]":
        """Return a manifest or an index, parsed, and the digest of its bytes.

        Args:
            target: A tag or a digest.
            size: The size in bytes that the listing index states; None if a client named the target.

        Raises:
            ImageFault: We cannot read it, or it is not as the index states.
            InvalidRequest, TargetRefused, RegistryUnavailable: As for `manifest`.
        """
        # Imported here because reading one file of an indexed image does not need it.
        from packyard.oci.read.third_party_document import parse_third_party_document  # noqa: PLC0415

        found = self.manifest(target, size=size)
        return found.digest, parse_third_party_document(found.raw, content_type=found.media_type)

    def manifest(self, target: str, *, size: int | None = None) -> Document:
        """Return a manifest or an index as it was received, unparsed, with the answer's media type.

        Args:
            target: A tag or a digest.
            size: As for `document`.

        Raises:
            ImageFault: It is over 4 MiB, or has another size than stated, or is absent although an index lists it.
            InvalidRequest: On `image_ref`: it does not exist, or may not be pulled.
            TargetRefused: The registry, or a host that it names, may not be reached.
            RegistryUnavailable: The registry did not answer, or the content has another digest than requested.
        """
        named = None if size is None else target
        with self._request(_MANIFESTS + target, accept=ANY_MANIFEST, named=named) as reply:
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

    def listed(self, path: str, *, accept: str, max_bytes: int) -> Listed:
        """Return a document that may be absent, unchecked.

        Args:
            path: The path below that of the repository, such as `/referrers/<digest>`.
            accept: The media types to ask for.
            max_bytes: The largest body that is read.

        Raises:
            RegistryUnavailable: The registry did not answer, or says that it cannot at the moment.
        """
        try:
            with self._request(path, accept=accept, named=None, may_be_absent=True) as reply:
                if reply.status != HTTPStatus.OK:
                    return Listed(status=reply.status)
                media_type = reply.header("Content-Type").partition(";")[0].strip().lower()
                try:
                    raw = reply.read(max_bytes)
                except BodyTooLarge:
                    return Listed(status=reply.status, media_type=media_type, too_large=True)
                next_page = _next_page(path, reply.headers("Link"))
                return Listed(status=reply.status, media_type=media_type, raw=raw, next_page=next_page)
        except (InvalidRequest, TargetRefused):
            return Listed(status=HTTPStatus.UNAUTHORIZED)

    @contextmanager
    def blob(self, descriptor: Descriptor) -> Iterator[Iterator[bytes]]:
        """Give a blob's bytes. They are verified only when they have been read to their end.

        Raises:
            ImageFault: The blob does not exist; at its end: its stated size is wrong.
            InvalidRequest: On `image_ref`: it may not be pulled.
            TargetRefused: The registry redirects to a host that may not be reached.
            RegistryUnavailable: The registry did not answer; while reading: the blob is cut off, or has another digest.
        """
        with self._request(f"/blobs/{descriptor.digest}", accept="*/*", named=descriptor.digest) as reply:
            yield _verified(reply.chunks(), descriptor)

    @contextmanager
    def part(self, descriptor: Descriptor, *, start: int, length: int) -> Iterator[Iterator[bytes]]:
        """Give a part of a blob, with one range request (RFC 9110, section 14). The bytes are not verified.

        A registry that does not support ranges sends the whole blob, which is then read up to the end of the part.

        Args:
            descriptor: The blob.
            start: The offset of the part in bytes.
            length: The number of bytes. The part must lie within the blob.

        Raises:
            ImageFault, InvalidRequest, TargetRefused: As for `blob`.
            RegistryUnavailable: The registry did not answer, or sent another part; while reading: it is cut off.
        """
        byte_range = f"bytes={start}-{start + length - 1}"
        digest = descriptor.digest
        asked = self._request(f"/blobs/{digest}", accept="*/*", named=digest, byte_range=byte_range)
        with asked as reply:
            skipped = start
            if reply.status == HTTPStatus.PARTIAL_CONTENT:
                _check_range(reply, byte_range)
                skipped = 0
            yield _cut(reply.chunks(), skipped, length)

    def content(self, descriptor: Descriptor) -> Iterator[bytes]:
        """Yield a blob's bytes; each call reads them again. They are verified only when all have been read.

        Raises:
            ImageFault, InvalidRequest, TargetRefused, RegistryUnavailable: As for `blob`.
        """
        with self.blob(descriptor) as chunks:
            yield from chunks

    @contextmanager
    def _request(
        self,
        path: str,
        *,
        accept: str,
        named: str | None,
        byte_range: str | None = None,
        may_be_absent: bool = False,
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
                        self._check(reply, path, named, elsewhere, may_be_absent=may_be_absent)
                    yield reply
                    return
                challenges, sent_to = reply.headers("WWW-Authenticate"), reply.url
            if reply.redirected:
                if elsewhere is not None:
                    break
                url, elsewhere = sent_to, urlsplit(sent_to).netloc
                authorizer, authorization = self._anonymous_authorizer(sent_to), None
            authorization = authorizer.answer(challenges, refused=authorization)
            if authorization is None:
                break
        raise self._name.unpullable() if elsewhere is None else self._name.kept_elsewhere(elsewhere)

    def _anonymous_authorizer(self, url: str) -> AnswersChallenges:
        """Return an authorizer without a credential, for the registry to which a redirect led."""
        parts = urlsplit(url)
        found = _API_PATH.fullmatch(parts.path)
        # Imported here because few registries redirect to one that wants a token.
        from packyard.registry.third_party.authorization import Authorizer  # noqa: PLC0415

        return Authorizer(
            http=self._http,
            registry=parts.netloc,
            url=f"{parts.scheme}://{parts.netloc}",
            repository=self._name.repository if found is None else found["repository"],
            grant=lambda: None,
        )

    def _check(
        self, reply: Reply, path: str, named: str | None, elsewhere: str | None, *, may_be_absent: bool
    ) -> None:
        if reply.status == HTTPStatus.OK or (may_be_absent and _says_absent(reply.status)):
            return
        if reply.status == HTTPStatus.NOT_FOUND and named is not None and not reply.redirected:
            raise ImageFault(
                f"names {named}, which its registry does not hold; push the image again, with all its platforms"
            )
        if reply.status in CLIENT_ERRORS and reply.status not in RETRY_LATER:
            if elsewhere is not None:
                raise self._name.kept_elsewhere(elsewhere)
            # A registry that redirects to a blob's storage has the blob, so a refusal there is a fault of the storage.
            if not reply.redirected or path.startswith(_MANIFESTS):
                raise self._name.unpullable()
        unavailable = RegistryUnavailable("The registry is not able to answer at the moment.")
        unavailable.add_note(f"it answered {reply.status}")
        raise unavailable


def _says_absent(status: int) -> bool:
    """Return whether a status says that there is no such document, or no such API."""
    refuses = status in CLIENT_ERRORS and status not in RETRY_LATER
    return refuses or status == HTTPStatus.NOT_IMPLEMENTED


def _next_page(path: str, links: Iterable[str]) -> str | None:
    """Return the path of the next page. Of what a registry names, only the query counts (RFC 8288)."""
    for link in links:
        found = _NEXT_PAGE.search(link)
        if found is not None:
            query = urlsplit(found["target"]).query
            return f"{path.partition('?')[0]}?{query}" if query else None
    return None


def _check_range(reply: Reply, byte_range: str) -> None:
    """Check that the answer has the requested range: `bytes 0-99/1234` answers `bytes=0-99`."""
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
