"""What a change of some files makes of an image's layers: which stand as they are, and which are made anew.

A layer that holds the same as before is the same blob. So it is neither read nor built nor sent.
"""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass

from packyard.oci.build.cut import cut_leaves
from packyard.oci.build.layer import LayerContents, LayerSpool
from packyard.oci.build.layer_row import LayerFile
from packyard.oci.build.standing_layer import leaves_of_layers, taken_files
from packyard.oci.build.tree import Directory, Entry, File, leaves_in_order, with_parents
from packyard.oci.content import LayerForm
from packyard.oci.image_fault import NotOurForm
from packyard.oci.read.file_index import FileIndex, IndexedLayer, empty_directories

# Opens the blob of a layer for reading.
OpenLayer = Callable[[IndexedLayer], AbstractContextManager[Iterator[bytes]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPlan:
    """The layers of an image as they are to be.

    Attributes:
        index: Of the image as it is.
        old: The files and empty directories of each of its layers.
        new: Those of each layer to be. Content that is not new is that of `old`.
        kept: The paths of the files whose content is the old one.
        standing: By the number of a layer to be: the number of the old one that holds the same.
    """

    index: FileIndex
    old: Sequence[Sequence[Entry]]
    new: Sequence[Sequence[Entry]]
    kept: Collection[str]
    standing: Mapping[int, int]

    @property
    def size(self) -> int:
        """Of the layers that are made anew, in bytes, about."""
        made = [layer for number, layer in enumerate(self.new) if number not in self.standing]
        return sum(
            piece.length
            for layer in made
            for entry in layer
            if isinstance(entry, File)
            for piece in entry.content.pieces
        )

    def made(self, spool: LayerSpool, *, opened: OpenLayer) -> Iterator[Iterator[Entry]]:
        """Yield the entries of each layer that is made anew, their content put into a spool as they are read.

        Each layer is read to its end before the next. Old layers are read one after the other, each once, and only
        those of which something is needed.

        Args:
            spool: Has the new content, and gets the other.
            opened: Opens an old layer.

        Raises:
            NotOurForm: An old layer is not what the index says; maybe only at the end.
        """
        with closing(self._taken(spool, opened)) as taken:
            for number, layer in enumerate(self.new):
                if number not in self.standing:
                    yield self._with_content(with_parents(layer), taken)
            # What is left of the last layer has to be right as well.
            for _ in taken:
                raise NotOurForm

    def layers(self, made: Sequence[LayerContents]) -> list[LayerContents]:
        """Return all layers of the image to be, from the bottom up.

        Args:
            made: Those that were made anew, in order.
        """
        anew = iter(made)
        return [
            self._standing(self.standing[number]) if number in self.standing else next(anew)
            for number in range(len(self.new))
        ]

    def _taken(self, spool: LayerSpool, opened: OpenLayer) -> Generator[File]:
        wanted = {
            entry.path
            for number, layer in enumerate(self.new)
            if number not in self.standing
            for entry in layer
            if entry.path in self.kept
        }
        for number, entries in enumerate(self.old):
            if wanted.isdisjoint(entry.path for entry in entries):
                continue
            layer = self.index.layers[number]
            with opened(layer) as chunks:
                yield from taken_files(
                    entries, chunks, form=layer.form, size=layer.size, spool=spool, wanted=wanted
                )

    def _with_content(self, layer: Sequence[Entry], taken: Iterator[File]) -> Iterator[Entry]:
        for entry in layer:
            if entry.path not in self.kept:
                yield entry
                continue
            file = next(taken, None)
            if file is None or file.path != entry.path:
                raise NotOurForm
            yield file

    def _standing(self, number: int) -> LayerContents:
        layer = self.index.layers[number]
        if layer.diff_id is None:
            raise NotOurForm
        return LayerContents(
            digest=layer.digest,
            size=layer.size,
            diff_id=layer.diff_id,
            files=tuple(_laid(entry) for entry in self.old[number] if isinstance(entry, File)),
            directories=tuple(entry.path for entry in self.old[number] if isinstance(entry, Directory)),
        )


def plan_change(
    index: FileIndex,
    changes: Mapping[str, File | None],
    *,
    vouched: bool,
    directories: Iterable[str] | None = None,
) -> LayerPlan:
    """Return what a change makes of an image's layers.

    Args:
        index: Of the image, which we have built.
        changes: By path: the file as it is to be, or None where there is to be none.
        vouched: Whether the index is known to be right. If not, nothing of the image stands unread.
        directories: The directories to be; those that contain files may be missing. None for those that there are.

    Raises:
        NotOurForm: The index is of an image that we have not built.
    """
    old = leaves_of_layers(index)
    kept = [
        entry for layer in old for entry in layer if isinstance(entry, File) and entry.path not in changes
    ]
    added = [file for file in changes.values() if file is not None]
    empty = empty_directories(
        index.directories if directories is None else directories, [file.path for file in (*kept, *added)]
    )
    new = cut_leaves(leaves_in_order(directories=empty, files=[*kept, *added]))
    return LayerPlan(
        index=index,
        old=old,
        new=new,
        kept={file.path for file in kept},
        standing=_standing(index, old, new) if vouched else {},
    )


def _standing(
    index: FileIndex, old: Sequence[Sequence[Entry]], new: Sequence[Sequence[Entry]]
) -> dict[int, int]:
    by_last = {
        entries[-1].path: number
        for number, entries in enumerate(old)
        if index.layers[number].form is LayerForm.FLUSHED and index.layers[number].diff_id is not None
    }
    found = {}
    for number, entries in enumerate(new):
        same = by_last.get(entries[-1].path) if entries else None
        if same is not None and old[same] == entries:
            found[number] = same
    return found


def _laid(file: File) -> LayerFile:
    content = file.content
    return LayerFile(file.path, content.size, file.mode, content.sha256, content.pieces)
