"""Image sources for tests: over loopback, or over an internet of the test's own."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from tests.internet import Internet

from packyard.network.guard import TrustedHosts, connect_to, resolve_name
from packyard.network.guarded_connection import tls_context
from packyard.oci.read.layer_limits import LayerLimits
from packyard.oci.reference import parse_reference
from packyard.registry.credentials import Anonymous, Basic
from packyard.registry.third_party.pull import ImageSource, OwnRegistry, PulledPack, PullLimits
from packyard.registry.third_party.pull_credentials import ThirdPartyCredentials

ORG: Final = "org_test"
LOOPBACK: Final = "127.0.0.1:*"
# Every image of a test is far below these, and every attack is beyond them at once.
LIMITS: Final = PullLimits(
    seconds=20, compressed_bytes=1 << 20, layer=LayerLimits(unpacked_bytes=4 << 20, members=100)
)


def image_source(
    *,
    net: Internet | None = None,
    trusted: str = "",
    secret: Mapping[str, Any] | None = None,
    limits: PullLimits = LIMITS,
    own: str = "https://own.test",
    own_user: str = "",
    monotonic: Callable[[], float] = time.monotonic,
) -> ImageSource:
    """Return a source.

    Args:
        net: The internet that it lives in; this machine's network without one.
        trusted: The setting.
        secret: The operator's credentials for other registries.
        limits: On each read.
        own: Base URL of our own registry.
        own_user: `user:password` for it.
        monotonic: The clock that reads are timed by.
    """
    user, _, password = own_user.partition(":")
    return ImageSource(
        own=OwnRegistry(
            url=own,
            credential=Basic(user=user, password=password) if own_user else Anonymous(),
            prefix="packs",
        ),
        trusted=TrustedHosts.parse(trusted),
        credentials=ThirdPartyCredentials(
            load=lambda: json.dumps(secret or {}),
            ecr_token=lambda region: Basic(user="AWS", password=region),
            clock=lambda: datetime(2026, 3, 1, tzinfo=UTC),
        ),
        limits=limits,
        resolve=resolve_name if net is None else net.resolve,
        connect=connect_to if net is None else net.connect,
        tls=tls_context if net is None else net.tls,
        time_left=lambda: 900,
        monotonic=monotonic,
    )


def pull(source: ImageSource, reference: str, *, org_id: str = ORG) -> PulledPack:
    """Read the pack that an image carries."""
    return source.read_pack(parse_reference(reference), org_id=org_id)


def not_there(name: str, *, own: bool = False) -> dict[str, str]:
    """Return what is said of an image that cannot be had, whatever the reason.

    Args:
        name: In normal form, with tag or digest.
        own: Whether it is in our own registry.
    """
    reference = parse_reference(name)
    target = "digest" if reference.digest else f"tag {reference.tag}"
    theirs = (
        f"check the host {reference.registry}, the repository {reference.repository} and the {target}. For a private "
        "image, or a host without a public address, whoever operates this service can add a credential for it, or "
        "trust it"
    )
    ours = "of this service's own registry, an organisation can name the images of its own packs only"
    return {"image_ref": f"{name} does not exist, or may not be pulled; {ours if own else theirs}"}
