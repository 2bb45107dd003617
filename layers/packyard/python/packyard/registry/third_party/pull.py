"""Reading the pack that an image carries, wherever the image is.

For a pack's row, the image is neither copied nor kept: of its manifest we take the digest and the sizes, and of
its layers as many, from the top, as it takes to tell what `/pack.yaml` is. Bytes of layers are let through to the
reader as they come, and what was read counts only once the whole layer has turned out to be of its digest. Who copies
an image (`operations.clone`) reads it in the same way, and all of it.
"""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from packyard.errors import InvalidRequest
from packyard.oci.digest import Digest
from packyard.oci.image_fault import ImageFault
from packyard.oci.read.root_file import Absence, FileSearch, HardLink, LayerLimits
from packyard.oci.read.third_party_document import Descriptor, ThirdPartyManifest
from packyard.oci.reference import DOCKER_HUB, Reference, parse_registry
from packyard.registry.credentials import Credential
from packyard.registry.own.pull_authorizer import OwnAuthorizer
from packyard.registry.third_party.authorization import Authorizer
from packyard.registry.third_party.budget import Budget
from packyard.registry.third_party.chosen_image import chosen_manifest
from packyard.registry.third_party.guard import (
    Connect,
    Guard,
    Resolve,
    TargetRefused,
    TrustedHosts,
    origin_of,
)
from packyard.registry.third_party.guarded_http import GuardedHttp
from packyard.registry.third_party.pull_credentials import ThirdPartyCredentials, same_ecr
from packyard.registry.third_party.repository import ImageName, ThirdPartyRepository

if TYPE_CHECKING:
    from packyard.packs.manifest.pack_manifest import Manifest

_MANIFEST_NAME: Final = "pack.yaml"
_DOCKER_HUB_URL: Final = "https://registry-1.docker.io"
# Archivers link to the first of equal files, so that one is usual. Each costs to read its layer once more.
_MAX_LINKS: Final = 8
# What helps when an image cannot be had. It follows from the reference alone, whatever the cause (decision 10).
_THEIRS: Final = (
    "check the host {registry}, the repository {repository} and the {target}. For a private image, or a host without a "
    "public address, whoever operates this service can add a credential for it, or trust it"
)
_OURS: Final = "of this service's own registry, an organisation can name the images of its own packs only"


@dataclass(frozen=True, slots=True, kw_only=True)
class PulledPack:
    """What is recorded of an image that holds a pack.

    Attributes:
        manifest: `pack.yaml`, checked.
        digest: Of the manifest or index that the reference resolved to: the pin.
        size_bytes: Config plus layers of the image that was read, compressed.
    """

    manifest: "Manifest"
    digest: Digest
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PullLimits:
    """Bounds on one read.

    Attributes:
        seconds: For all of it, whatever the number of requests.
        compressed_bytes: Of all layers that have to be looked into.
        layer: On each of them.
    """

    seconds: float = 20
    compressed_bytes: int = 256 << 20
    layer: LayerLimits = field(default_factory=LayerLimits)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRegistry:
    """The registry that we push to, in which everybody may read their own images through us.

    Attributes:
        url: Scheme, host and port.
        credential: What to show it.
        prefix: What every repository's name begins with; the organisation's id follows.
    """

    url: str
    credential: Credential
    prefix: str

    @property
    def host(self) -> str:
        """What references to it start with, in normal form."""
        return parse_registry(urlsplit(self.url).netloc)


@dataclass(frozen=True, kw_only=True)
class ImageSource:
    """Reads packs out of images, of any registry of the public internet and of those that the operator trusts.

    Attributes:
        own: Our own registry.
        trusted: Registries that may have addresses which are not public.
        credentials: What to show other registries.
        limits: Bounds on each read.
        resolve: Returns a host's addresses.
        connect: Connects to an address.
        tls: Makes the context of TLS connections, when first needed.
        monotonic: Seconds on a clock that never goes back.
        time_left: For how many seconds registries may still be waited for, whatever the limits say.
    """

    own: OwnRegistry
    trusted: TrustedHosts
    credentials: ThirdPartyCredentials
    limits: PullLimits
    resolve: Resolve
    connect: Connect
    tls: Callable[[], ssl.SSLContext]
    monotonic: Callable[[], float]
    time_left: Callable[[], float]

    def read_pack(self, reference: Reference, *, org_id: str) -> PulledPack:
        """Return what an image says of the pack that it holds.

        Args:
            reference: Where the image is.
            org_id: Who asks. In our own registry, only what lies below this organisation is there for them.

        Raises:
            InvalidRequest: On `image_ref`: the image does not exist, may not be pulled, is where we do not go
                (all in the same words), or is none that we can read; on `pack.yaml` and `pack.yaml:<key>`.
            RegistryUnavailable: A registry did not answer in time, or not with what was asked for.
            ServiceUnavailable: AWS did not answer for a credential.
        """
        with self.opened(reference, org_id=org_id) as repository:
            return self._read(repository, reference.target)

    @contextmanager
    def opened(self, reference: Reference, *, org_id: str) -> Iterator[ThirdPartyRepository]:
        """Give an image's repository for reading, within one budget of time for all of it.

        Args:
            reference: Where the image is.
            org_id: As for `read_pack`.

        Raises:
            InvalidRequest: On `image_ref`: as for `read_pack`, whatever of it comes up while the context lasts.
            RegistryUnavailable, ServiceUnavailable: As for `read_pack`.
        """
        ours = reference.registry == self.own.host
        hint = _OURS if ours else _theirs(reference)
        name = ImageName(str(reference), reference.repository, hint)
        if ours and not reference.repository.startswith(f"{self.own.prefix}/{org_id}/"):
            raise name.unpullable()
        # By another name of its own, a credential that the operator lists for it would open all of it.
        if not ours and same_ecr(reference.registry, self.own.host):
            raise name.unpullable()
        base_url, trusted = self._approach(reference.registry)
        guard = Guard(trusted=trusted, resolve=self.resolve, connect=self.connect)
        budget = Budget(monotonic=self.monotonic, seconds=min(self.limits.seconds, self.time_left()))
        with GuardedHttp(guard=guard, budget=budget, tls=lambda: self._tls) as http:
            authorizer: OwnAuthorizer | Authorizer
            if ours:
                authorizer = OwnAuthorizer(self.own.credential, reference.repository)
            else:
                authorizer = Authorizer(
                    http=http,
                    registry=reference.registry,
                    url=base_url,
                    repository=reference.repository,
                    grant=lambda: self.credentials.grant_for(reference.registry, org_id=org_id),
                )
            try:
                yield ThirdPartyRepository(
                    http=http,
                    base_url=base_url,
                    name=name,
                    authorizer=authorizer,
                    authorization=authorizer.unasked() if isinstance(authorizer, OwnAuthorizer) else None,
                )
            except TargetRefused:
                raise name.unpullable() from None
            except ImageFault as fault:
                raise InvalidRequest({"image_ref": str(fault)}) from fault

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self.tls()

    def _approach(self, registry: str) -> tuple[str, TrustedHosts]:
        """Return a registry's base URL, and the hosts that are trusted while it is read.

        None are while a stranger's is: by a redirect he would have us ask, from inside, a registry that does
        not ask us who we are.
        """
        if registry == self.own.host:
            return self.own.url.rstrip("/"), self.trusted.also(origin_of(self.own.url))
        if registry == DOCKER_HUB:
            return _DOCKER_HUB_URL, TrustedHosts()
        scheme = self.trusted.scheme_of(registry)
        if scheme is not None:
            return f"{scheme}://{registry}", self.trusted
        return f"https://{registry}", TrustedHosts()

    def _read(self, repository: ThirdPartyRepository, target: str) -> PulledPack:
        digest, document = repository.document(target)
        manifest = chosen_manifest(repository, document)
        content = self._manifest_file(repository, manifest)
        # With it come the models that check it, which nobody needs who reads files.
        from packyard.packs.manifest.pack_manifest import parse_manifest  # noqa: PLC0415

        return PulledPack(
            manifest=parse_manifest(content, max_bytes=self.limits.layer.file_bytes),
            digest=digest,
            size_bytes=manifest.size_bytes,
        )

    def _manifest_file(self, repository: ThirdPartyRepository, manifest: ThirdPartyManifest) -> bytes:
        search = FileSearch(_MANIFEST_NAME, limits=self.limits.layer)
        left = self.limits.compressed_bytes
        links = 0
        layers = list(manifest.layers)
        while layers:
            left -= layers[-1].size
            if left < 0:
                raise ImageFault(
                    f"has no {_MANIFEST_NAME} in its topmost {self.limits.compressed_bytes} bytes of layers"
                )
            found = self._look(repository, layers[-1], search)
            if isinstance(found, bytes):
                return found
            if isinstance(found, HardLink):
                links += 1
                if links > _MAX_LINKS:
                    raise ImageFault(
                        f"has a {_MANIFEST_NAME} that is a chain of over {_MAX_LINKS} hard links"
                    )
                # In the same layer, once more: it may hold what the link names.
                search.follow(found)
            elif found is Absence.SILENT:
                layers.pop()
            else:
                raise _no_file(search, found, linked=links > 0)
        raise _no_file(search, Absence.SILENT, linked=links > 0)

    def _look(
        self, repository: ThirdPartyRepository, layer: Descriptor, search: FileSearch
    ) -> bytes | HardLink | Absence:
        """Look for the file in one layer, and read the layer to its end in any case.

        Only then is it known whether a fault is the image's, or the transfer's.
        """
        with repository.blob(layer) as chunks:
            try:
                return search.look(chunks)
            finally:
                for _ in chunks:
                    pass


def _theirs(reference: Reference) -> str:
    target = f"tag {reference.tag}" if reference.digest is None else "digest"
    return _THEIRS.format(registry=reference.registry, repository=reference.repository, target=target)


def _no_file(search: FileSearch, found: Absence, *, linked: bool) -> ImageFault:
    if linked:
        return ImageFault(
            f"has a {_MANIFEST_NAME} that is a hard link to {search.path!a:.300}, which is no file of the image"
        )
    if found is Absence.NO_FILE:
        return ImageFault(f"has a {_MANIFEST_NAME} that is not a regular file; put a copy of the file there")
    if search.similar:
        return ImageFault(
            f"has no {_MANIFEST_NAME} at its root, where it has to be; it has {', '.join(search.similar)}"
        )
    return ImageFault(f"has no {_MANIFEST_NAME} at its root (/{_MANIFEST_NAME}), where it has to be")
