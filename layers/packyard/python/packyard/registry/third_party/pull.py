"""Reads the pack in an image, from our own registry or a third party's.

The image is not stored. Only its digest, its sizes, its version and `/pack.yaml` or `/SKILL.md` are taken from it.
Layers are read from the top until that file is found. They are streamed, and the result counts only after the whole
layer has matched its digest.
`operations.clone`, which copies an image, reads all of it through the same `ImageSource.opened`.
"""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from packyard.errors import InvalidRequest, RegistryUnavailable
from packyard.network.budget import Budget
from packyard.network.guard import (
    Connect,
    Guard,
    Resolve,
    TargetRefused,
    TrustedHosts,
    origin_of,
)
from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest
from packyard.oci.image_fault import ImageFault
from packyard.oci.read.layer_limits import LayerLimits
from packyard.oci.reference import DOCKER_HUB, Reference, parse_registry
from packyard.registry.credentials import Credential
from packyard.registry.own.pull_authorizer import OwnAuthorizer
from packyard.registry.third_party.guarded_http import GuardedHttp
from packyard.registry.third_party.pull_credentials import ThirdPartyCredentials, same_ecr
from packyard.registry.third_party.repository import AnswersChallenges, ImageName, ThirdPartyRepository

if TYPE_CHECKING:
    from datetime import datetime

    from packyard.packs.manifest.pack_manifest import Manifest
    from packyard.signatures.brought import ImageSignatures

_DOCKER_HUB_URL: Final = "https://registry-1.docker.io"
# The advice when an image cannot be pulled. It depends on the reference alone, so it does not reveal the cause
# (decision 10).
_THIRD_PARTY_HINT: Final = (
    "check the host {registry}, the repository {repository} and the {target}. For a private image, or a host without a "
    "public address, whoever operates this service can add a credential for it, or trust it"
)
_OWN_HINT: Final = "of this service's own registry, an organisation can name the images of its own packs only"


@dataclass(frozen=True, slots=True, kw_only=True)
class PulledPack:
    """What is recorded about an image that contains a pack.

    Attributes:
        manifest: What the validated `pack.yaml` or `SKILL.md` says. Where a `SKILL.md` states no version, it has the
            one that the image's documents state, if that is SemVer.
        digest: The digest of the manifest or index to which the reference resolved; the pack is pinned to it.
        size_bytes: The compressed size of the image that was read: its config and its layers.
        layers: That image's layers, from the lowest up.
    """

    manifest: "Manifest"
    digest: Digest
    size_bytes: int
    layers: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PullLimits:
    """Limits on one read of an image.

    Attributes:
        seconds: The time for the whole read, independent of the number of requests.
        compressed_bytes: The compressed bytes of all layers that are read.
        layer: The limits on each layer.
    """

    seconds: float = 20
    compressed_bytes: int = 256 << 20
    layer: LayerLimits = field(default_factory=LayerLimits)

    def of_an_image_that_we_built(self) -> "PullLimits":
        """Return these limits for an image of our own.

        It was within the limits on packs when it was built, which an operator may have lowered since: at most 1.75 GiB
        of content (`template.yaml`), which may not compress at all, and may all be in one layer.
        """
        most = 2 * self.layer.unpacked_bytes
        return replace(self, compressed_bytes=most, layer=replace(self.layer, unpacked_bytes=most))


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRegistry:
    """The registry to which we push. Through us, each organisation can read its own images in it.

    Attributes:
        url: Scheme, host and port.
        credential: Our credential for it.
        prefix: The first part of each repository's path; the organisation's id is the next part.
    """

    url: str
    credential: Credential
    prefix: str

    @property
    def host(self) -> str:
        """The host, and port if any, with which references to it start, in normal form."""
        return parse_registry(urlsplit(self.url).netloc)


@dataclass(frozen=True, kw_only=True)
class ImageSource:
    """Reads packs from images in registries of the public internet, in ours, and in those that the operator trusts.

    Attributes:
        own: Our own registry.
        trusted: Registries whose addresses need not be public.
        credentials: The operator's credentials for third-party registries.
        limits: Limits on each read.
        resolve: Returns a host's addresses.
        connect: Connects to an address.
        tls: Returns a TLS context; called when it is first needed.
        monotonic: Returns seconds of a clock that never goes back.
        time_left: Returns the seconds that the invocation may still spend on registries; it caps `limits.seconds`.
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

    def read_pack(self, reference: Reference, *, org_id: str, built_here: bool = False) -> PulledPack:
        """Return the pack that an image contains.

        Args:
            reference: The image's reference.
            org_id: The organisation for which the image is read. In our own registry it can read only its own images.
            built_here: Whether it is known that this service has built the image, so that its lowest layer begins with
                `pack.yaml` or `SKILL.md` and no other layer has one (API contract, section 4).

        Raises:
            InvalidRequest: On the field `image_ref`: the image does not exist, may not be pulled, or is on a host that
                may not be reached (one message for all three), or it cannot be read. On `pack.yaml` or
                `pack.yaml:<key>`: the manifest is invalid.
            RegistryUnavailable: A registry did not answer in time, or its answer was wrong.
            ServiceUnavailable: AWS did not provide a credential.
        """
        with self.opened(reference, org_id=org_id) as repository:
            return self._read(repository, reference, built_here=built_here)

    def read_signed_pack(
        self, reference: Reference, *, org_id: str, built_here: bool = False, at: "datetime"
    ) -> "tuple[PulledPack, ImageSignatures]":
        """Return the pack that an image contains, and the signatures and attestations that it brings.

        A registry that gives the image and does not answer for its signatures is no error: what is returned says so.

        Args:
            reference: As for `read_pack`.
            org_id: As for `read_pack`.
            built_here: As for `read_pack`.
            at: The present instant, UTC.

        Raises:
            InvalidRequest, RegistryUnavailable, ServiceUnavailable: As for `read_pack`.
        """
        from packyard.registry.third_party.brought_signatures import (  # noqa: PLC0415 - only registering needs it
            read_signatures,
            unread,
        )

        with self.opened(reference, org_id=org_id) as repository:
            pulled = self._read(repository, reference, built_here=built_here)
            name = f"{reference.registry}/{reference.repository}"
            try:
                brought = read_signatures(repository, name=name, digest=pulled.digest, at=at)
            except RegistryUnavailable as why:
                brought = unread(name, pulled.digest, at, why)
        return pulled, brought

    @contextmanager
    def opened(self, reference: Reference, *, org_id: str) -> Iterator[ThirdPartyRepository]:
        """Give access to an image's repository. One time limit applies to the whole context.

        Args:
            reference: The image's reference.
            org_id: As for `read_pack`.

        Raises:
            InvalidRequest: On `image_ref`, as for `read_pack`; also for faults that are found while the context lasts.
            RegistryUnavailable, ServiceUnavailable: As for `read_pack`.
        """
        ours = reference.registry == self.own.host
        hint = _OWN_HINT if ours else _third_party_hint(reference)
        name = ImageName(str(reference), reference.repository, hint)
        if ours and not reference.repository.startswith(f"{self.own.prefix}/{org_id}/"):
            raise name.unpullable()
        # Another host name of our own ECR registry. With a credential that the operator configured for that name, the
        # caller could read every organisation's images.
        if not ours and same_ecr(reference.registry, self.own.host):
            raise name.unpullable()
        base_url, trusted = self._base_url_and_trusted(reference.registry)
        guard = Guard(trusted=trusted, resolve=self.resolve, connect=self.connect)
        budget = Budget(monotonic=self.monotonic, seconds=min(self.limits.seconds, self.time_left()))
        with GuardedHttp(guard=guard, budget=budget, tls=lambda: self._tls) as http:
            authorization = None
            authorizer: AnswersChallenges
            if ours:
                authorizer = own = OwnAuthorizer(self.own.credential, reference.repository)
                authorization = own.initial()
            else:
                authorizer = self._authorizer(http, reference, base_url, org_id)
            try:
                yield ThirdPartyRepository(
                    http=http,
                    base_url=base_url,
                    name=name,
                    authorizer=authorizer,
                    authorization=authorization,
                )
            except TargetRefused:
                raise name.unpullable() from None
            except ImageFault as fault:
                raise InvalidRequest({"image_ref": str(fault)}) from fault

    def _authorizer(
        self, http: GuardedHttp, reference: Reference, base_url: str, org_id: str
    ) -> AnswersChallenges:
        # Imported here because reading our own registry needs no parser of challenges.
        from packyard.registry.third_party.authorization import Authorizer  # noqa: PLC0415

        return Authorizer(
            http=http,
            registry=reference.registry,
            url=base_url,
            repository=reference.repository,
            grant=lambda: self.credentials.grant_for(reference.registry, org_id=org_id),
        )

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self.tls()

    def _base_url_and_trusted(self, registry: str) -> tuple[str, TrustedHosts]:
        """Return a registry's base URL, and the hosts that are trusted while it is read.

        While an untrusted registry is read, no host is trusted. Otherwise its redirects could make us read from an
        internal registry that requires no login.
        """
        if registry == self.own.host:
            return self.own.url.rstrip("/"), self.trusted.with_origin(origin_of(self.own.url))
        if registry == DOCKER_HUB:
            return _DOCKER_HUB_URL, TrustedHosts()
        scheme = self.trusted.scheme_of(registry)
        if scheme is not None:
            return f"{scheme}://{registry}", self.trusted
        return f"https://{registry}", TrustedHosts()

    def _read(
        self, repository: ThirdPartyRepository, reference: Reference, *, built_here: bool
    ) -> PulledPack:
        ours = reference.registry == self.own.host
        limits = self.limits.of_an_image_that_we_built() if ours else self.limits
        digest, document = repository.document(reference.target)
        # Imported here because they load the validation models and readers of documents and of tar. Reading one file of
        # an indexed image needs none of them.
        from packyard.packs.manifest.root_file import parse_root_file  # noqa: PLC0415
        from packyard.registry.third_party.chosen_image import chosen_manifest  # noqa: PLC0415
        from packyard.registry.third_party.pack_file import find_pack_file  # noqa: PLC0415

        manifest = chosen_manifest(repository, document)
        layers = manifest.layers[:1] if built_here else manifest.layers
        path, content = find_pack_file(
            repository, layers, limits=limits.layer, compressed_bytes=limits.compressed_bytes
        )
        return PulledPack(
            manifest=_with_version(
                parse_root_file(path, content, max_bytes=self.limits.layer.file_bytes),
                document.version or manifest.version,
            ),
            digest=digest,
            size_bytes=manifest.size_bytes,
            layers=manifest.layers,
        )


def _with_version(manifest: "Manifest", stated: str | None) -> "Manifest":
    """Return a manifest that states no version with the one of its image, if that is one."""
    from packyard.packs.manifest.version_text import parse_version  # noqa: PLC0415 - as above

    if manifest.version_is_stated or stated is None:
        return manifest
    try:
        return replace(manifest, version=parse_version(stated), version_is_stated=True)
    except ValueError:
        return manifest


def _third_party_hint(reference: Reference) -> str:
    target = f"tag {reference.tag}" if reference.digest is None else "digest"
    return _THIRD_PARTY_HINT.format(
        registry=reference.registry, repository=reference.repository, target=target
    )
