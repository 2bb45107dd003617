"""Images of many layers without much content: layers of a thousandth of their size."""

import pytest

from packyard.oci.build import cut

_BOUNDS = ("WHOLE_BYTES", "_LEAST_BYTES", "_MEAN_REST_BYTES", "_MOST_BYTES", "_LARGE_BYTES", "_LARGEST_BYTES")


def shrink_layers(patch: pytest.MonkeyPatch) -> None:
    """Divide all bounds on layers by 1024, from 32 MiB to 32 KiB and so on."""
    for name in _BOUNDS:
        patch.setattr(cut, name, getattr(cut, name) >> 10)
