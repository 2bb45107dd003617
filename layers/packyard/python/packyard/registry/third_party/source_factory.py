"""Puts together what reads packs out of images; called by the composition root."""

from collections.abc import Callable

from packyard.oci.read.root_file import LayerLimits
from packyard.registry.third_party.guard import TrustedHosts, connect_to, resolve_name
from packyard.registry.third_party.guarded_connection import tls_context
from packyard.registry.third_party.pull import ImageSource, OwnRegistry, PullLimits
from packyard.registry.third_party.pull_credentials import ThirdPartyCredentials


def image_source(  # noqa: PLR0913 - by name; what the composition root has
    *,
    own: OwnRegistry,
    trusted: str,
    credentials: ThirdPartyCredentials,
    manifest_bytes: int,
    monotonic: Callable[[], float],
    time_left: Callable[[], float],
) -> ImageSource:
    """Return the source that reads over this machine's network.

    Args:
        own: Our own registry.
        trusted: The deployment's setting; see `TrustedHosts.parse`.
        credentials: What to show other registries.
        manifest_bytes: The largest `pack.yaml`.
        monotonic: Seconds on a clock that never goes back.
        time_left: For how many seconds registries may still be waited for.

    Raises:
        ValueError: The setting cannot be read.
    """
    return ImageSource(
        own=own,
        trusted=TrustedHosts.parse(trusted),
        credentials=credentials,
        limits=PullLimits(layer=LayerLimits(file_bytes=manifest_bytes)),
        resolve=resolve_name,
        connect=connect_to,
        tls=tls_context,
        monotonic=monotonic,
        time_left=time_left,
    )
