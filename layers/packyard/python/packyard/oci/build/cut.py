"""Cutting an image's content into layers, so that a change stays local (API contract, section 4).

Where a layer ends depends on what it holds so far and on the path and the size of its last file. After a change the
cuts soon fall where they fell before, and from there on the layers are the same as before.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from packyard.oci.build.tree import Directory, Entry, File, with_parents, without_parents

# Content up to this is one layer.
WHOLE_BYTES: Final = 32 << 20
_LEAST_BYTES: Final = 8 << 20
# Beyond the least: how much more a layer holds on average.
_MEAN_REST_BYTES: Final = 8 << 20
_MOST_BYTES: Final = 48 << 20
# From here on the three are doubled.
_LARGE_BYTES: Final = 512 << 20
# Beyond this, which no archive reaches under the default limits, they are doubled again, and so on.
_LARGEST_BYTES: Final = 1 << 30
_HASH_BITS: Final = 64


def cut(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Return the entries of each layer of an image, from the bottom up.

    Args:
        entries: All of the image's, in canonical order.
    """
    return [with_parents(layer) for layer in cut_leaves(list(without_parents(entries)))]


def cut_leaves(leaves: Sequence[Entry]) -> list[list[Entry]]:
    """Return the files and empty directories of each layer of an image, from the bottom up.

    Args:
        leaves: All of the image's, in canonical order.
    """
    total = sum(leaf.content.size for leaf in leaves if isinstance(leaf, File))
    return list(_cut(leaves, _bounds(total))) if total > WHOLE_BYTES else [list(leaves)]


@dataclass(frozen=True, slots=True)
class _Bounds:
    """How much content a layer holds, in bytes: see the contract."""

    least: int
    mean_rest: int
    most: int


def _bounds(total: int) -> _Bounds:
    factor = 2 if total >= _LARGE_BYTES else 1
    while total > _LARGEST_BYTES * factor // 2 and factor > 1:
        factor *= 2
    return _Bounds(_LEAST_BYTES * factor, _MEAN_REST_BYTES * factor, _MOST_BYTES * factor)


def _cut(leaves: Iterable[Entry], bounds: _Bounds) -> Iterator[list[Entry]]:
    layer: list[Entry] = []
    held = 0
    # Empty directories are in the layer of the file that follows them, or else in the last.
    directories: list[Entry] = []
    ended = False
    for entry in leaves:
        if isinstance(entry, Directory):
            directories.append(entry)
            continue
        size = entry.content.size
        if layer and (held + size > bounds.most or ended):
            yield layer
            layer, held = [], 0
        layer += (*directories, entry)
        directories.clear()
        held += size
        ended = held >= bounds.least and _ends_a_layer(entry.path, size, bounds)
    yield [*layer, *directories]


def _ends_a_layer(path: str, size: int, bounds: _Bounds) -> bool:
    """Return whether a layer that holds enough ends with this file: the more often, the larger files are."""
    number = int.from_bytes(hashlib.sha256(path.encode()).digest()[: _HASH_BITS // 8])
    return number * bounds.mean_rest < size << _HASH_BITS
