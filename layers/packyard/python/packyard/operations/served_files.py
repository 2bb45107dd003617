"""The content of one file of a served pack. Nothing is written but caches."""

from dataclasses import dataclass

from packyard.doors.document import SKILL_FILE, ServedDocument, ServedFile
from packyard.doors.served_pack import ServedPack
from packyard.errors import FileNotFound
from packyard.operations.image_files import ImageFiles
from packyard.store.pack_revisions import PackRevisions, RevisionId


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFiles:
    """Reads files of served packs.

    Attributes:
        packs: Where packs and their histories are.
        images: Reads the files of images.
    """

    packs: PackRevisions
    images: ImageFiles

    def content(self, pack: ServedPack, document: ServedDocument, file: ServedFile) -> bytes:
        """Return the content of a file, checked by its digest. All of it is in memory.

        Args:
            pack: The pack.
            document: What is served of its image.
            file: A file of the document.

        Raises:
            FileNotFound: The image does not have it any more.
            InvalidRequest, RegistryUnavailable, ServiceUnavailable: As for `ImageFiles.index`.
        """
        if file.path == SKILL_FILE and document.skill_md is not None:
            return document.skill_md.encode()
        wanted = RevisionId(pack.pack_id, pack.revision)
        then = self.packs.read([pack.pack_id], [wanted]).at(*wanted)
        if then is None:
            raise FileNotFound
        index = self.images.index(then, org_id=pack.org_id, only=file.path)
        found = index.find(file.path)
        if found is None or found.sha256 != file.sha256:
            raise FileNotFound
        return self.images.read(then, index, found, b"".join, org_id=pack.org_id)
