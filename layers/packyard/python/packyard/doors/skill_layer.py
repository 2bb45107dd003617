"""The layer of a skill artifact: one folder, written as our images' layers are, so the same bytes each time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO

from packyard.doors.document import ServedFile
from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.tree import File, canonical_order
from packyard.oci.digest import Digest

Contents = Callable[[ServedFile], Iterable[bytes]]


def write_layer(
    target: IO[bytes], files: Sequence[ServedFile], contents: Contents, *, folder: str
) -> tuple[Digest, int]:
    """Write the layer of some files, and return its digest and its size in bytes.

    What is compressed is on local disk until all of it is there.

    Args:
        target: Takes the layer.
        files: The files, each path once.
        contents: Returns the content of a file.
        folder: Where they lie in it.

    Raises:
        ValueError: A content is not of its file's size.
    """
    with LayerSpool() as spool:
        entries = canonical_order(directories=(), files=_stored(spool, files, contents, folder))
        layer = spool.assemble(entries, copy=target.write)
        return layer.digest, layer.size


def _stored(
    spool: LayerSpool, files: Iterable[ServedFile], contents: Contents, folder: str
) -> Iterator[File]:
    for file in files:
        content = spool.store(contents(file))
        if content.size != file.size:
            raise ValueError("the content is not of the file's size")
        yield File(f"{folder}/{file.path}", bool(file.mode & 0o111), content)
