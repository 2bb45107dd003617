"""All files of an image, for what needs the content of each: an image that we built is read layer by layer, once.

Nothing is written.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryFile
from typing import IO, Final

from packyard.oci.build.compression import inflate_pieces
from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.standing_layer import leaves_of_layers, taken_files
from packyard.oci.build.tree import File
from packyard.oci.image_fault import NotOurForm
from packyard.oci.read.file_index import FileIndex, IndexedFile
from packyard.operations.image_files import ImageFiles
from packyard.packs.pack import Pack

_CHUNK: Final = 1 << 20

Contents = Callable[[str], Iterator[bytes]]


@contextmanager
def opened_image(files: ImageFiles, pack: Pack, index: FileIndex) -> Iterator[Contents]:
    """Give what returns the content of each file by its path, in any order, checked by its digest.

    The content is on local disk, compressed, if we built the image. Otherwise each file is read when it is asked for.

    Args:
        files: Reads images.
        pack: The pack at the revision that has the image.
        index: The image's.

    Raises:
        InvalidRequest, RegistryUnavailable, ServiceUnavailable: As for `ImageFiles.index`; also from what is given.
    """
    with ExitStack() as stack:
        spool = stack.enter_context(LayerSpool())
        try:
            taken = {file.path: file for file in _taken(files, pack, index, spool)}
        except NotOurForm:
            found = {file.path: file for file in index.files}
            yield lambda path: _read(files, pack, index, found[path])
        else:
            yield lambda path: _inflated(taken[path], spool)


def _taken(files: ImageFiles, pack: Pack, index: FileIndex, spool: LayerSpool) -> Iterator[File]:
    if pack.layer_digest is None:
        raise NotOurForm
    for layer, leaves in zip(index.layers, leaves_of_layers(index), strict=True):
        wanted = {leaf.path for leaf in leaves}
        with files.opened_layer(pack, layer) as chunks:
            yield from taken_files(
                leaves, chunks, form=layer.form, size=layer.size, spool=spool, wanted=wanted
            )


def _inflated(file: File, spool: LayerSpool) -> Iterator[bytes]:
    left = file.content.size
    for piece in file.content.pieces:
        raw = inflate_pieces(spool.read(piece), size=piece.raw_size)[:left]
        left -= len(raw)
        yield raw


def _read(files: ImageFiles, pack: Pack, index: FileIndex, file: IndexedFile) -> Iterator[bytes]:
    """Yield a file's content after it was checked: what was wrong is read again from its start."""

    def kept(pieces: Iterator[bytes]) -> IO[bytes]:
        spool.seek(0)
        spool.truncate()
        for piece in pieces:
            spool.write(piece)
        return spool

    with TemporaryFile() as spool:
        content = files.read(pack, index, file, kept, org_id=pack.org_id)
        content.seek(0)
        while chunk := content.read(_CHUNK):
            yield chunk
