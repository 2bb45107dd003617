"""Listing a pack's files, and reading one of them.

Only caches are written, each under the digest of its content. So a crash, a repeat and two readers at once all have the
same outcome.
"""

import codecs
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Final

from packyard.errors import FileNotFound
from packyard.oci.read.file_index import FileIndex, IndexedFile
from packyard.operations.image_files import ImageFiles
from packyard.packs.pack import Pack
from packyard.storage.downloads import Download, Downloads
from packyard.tenants.caller import Caller

_MEMORY_BYTES: Final = 8 << 20
# Control characters that no text has: all but tab, line feed, form feed and carriage return.
_UNTEXTUAL: Final = frozenset(map(chr, {*range(0x20), 0x7F} - {0x09, 0x0A, 0x0C, 0x0D}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One file of a pack that the caller can see.

    Attributes:
        pack: The pack.
        index: The index of its image. Other files may be missing from it.
        file: The file.
        org_id: Who asks.
    """

    pack: Pack
    index: FileIndex
    file: IndexedFile
    org_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackFiles:
    """Reads packs' files.

    Attributes:
        images: The images of packs.
        downloads: Where files go that are too large for an answer.
    """

    images: ImageFiles
    downloads: Downloads

    def index(self, pack: Pack, *, caller: Caller) -> FileIndex:
        """Return the files of a pack.

        Args:
            pack: The pack, which the caller can see.
            caller: Who asks.

        Raises:
            InvalidRequest: On `id`: its image cannot be fetched or read.
            RegistryUnavailable: Its registry did not answer in time.
            ServiceUnavailable: A backing service did not answer.
        """
        return self.images.index(pack, org_id=caller.org_id)

    def find(self, pack: Pack, path: str, *, caller: Caller) -> Found:
        """Return where a file lies.

        Args:
            pack: The pack, at one of its revisions, which the caller can see.
            path: Of the file, in the pack.
            caller: Who asks.

        Raises:
            FileNotFound: The pack has no such file.
            InvalidRequest, RegistryUnavailable, ServiceUnavailable: As for `index`.
        """
        index = self.images.index(pack, org_id=caller.org_id, only=path)
        file = index.find(path)
        if file is None:
            raise FileNotFound
        return Found(pack=pack, index=index, file=file, org_id=caller.org_id)

    def content(self, found: Found) -> bytes:
        """Return a file's content, checked by its digest. All of it is in memory.

        Raises:
            InvalidRequest, RegistryUnavailable, ServiceUnavailable: As for `index`.
        """
        return self.images.read(found.pack, found.index, found.file, b"".join, org_id=found.org_id)

    def stage(self, found: Found) -> Download:
        """Make sure that a file's content is staged for download, checked by its digest, in bounded memory.

        Raises:
            InvalidRequest, RegistryUnavailable, ServiceUnavailable: As for `index`.
        """
        staged = self.downloads.find(found.file.sha256)
        if staged is not None:
            return staged
        spool, is_text = self.images.read(found.pack, found.index, found.file, _spool, org_id=found.org_id)
        with closing(spool):
            return self.downloads.put(found.file.sha256, spool, is_text=is_text)

    def stage_text(self, sha256: str, content: bytes) -> Download:
        """Make sure that a text is staged for download.

        Args:
            sha256: Of the content, in hex.
            content: UTF-8.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        staged = self.downloads.find(sha256)
        return staged or self.downloads.put(sha256, BytesIO(content), is_text=True)


def is_text(pieces: Iterable[bytes]) -> bool:
    """Return whether content is UTF-8 without control characters that no text has. All pieces are read."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    textual = True
    for piece in pieces:
        try:
            textual = textual and _UNTEXTUAL.isdisjoint(decoder.decode(piece))
        except UnicodeDecodeError:
            textual = False
    return textual and not decoder.getstate()[0]


def _spool(pieces: Iterator[bytes]) -> tuple[IO[bytes], bool]:
    spool: IO[bytes] = SpooledTemporaryFile(max_size=_MEMORY_BYTES)  # noqa: SIM115 - closed by the caller

    def passing() -> Iterator[bytes]:
        for piece in pieces:
            spool.write(piece)
            yield piece

    try:
        textual = is_text(passing())
    except BaseException:
        spool.close()
        raise
    spool.seek(0)
    return spool, textual
