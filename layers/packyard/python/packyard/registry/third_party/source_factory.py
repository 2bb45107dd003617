"""Builds the reader of packs in images; called by the composition root."""

from collections.abc import Callable

from packyard.network.guard import TrustedHosts, connect_to, resolve_name
from packyard.network.guarded_connection import tls_context
from packyard.oci.read.layer_limits import LayerLimits
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
    """Return an `ImageSource` that uses the real network.

    Args:
        own: Our own registry.
        trusted: The deployment's setting; see `TrustedHosts.parse`.
        credentials: The operator's credentials for third-party registries.
        manifest_bytes: The largest allowed `pack.yaml`, in bytes.
        monotonic: Returns seconds of a clock that never goes back.
        time_left: Returns the seconds that may still be spent on registries.

    Raises:
        ValueError: `trusted` cannot be parsed.
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
