"""The content of one file of a served pack, from the zip that its door serves. Nothing is written."""

# zipfile loads it with the first name that it reads.
import encodings.cp437  # noqa: F401
import hashlib
import io
import zipfile
from dataclasses import dataclass
from typing import Final

from packyard.doors.document import SKILL_FILE, ServedDocument, ServedFile
from packyard.doors.served_pack import ServedPack
from packyard.errors import FileNotFound, InvalidRequest
from packyard.storage.door_files import DoorFiles, zip_key

# All of the zip is in memory. Of what MCP serves, none has more.
_MAX_ZIP: Final = 20 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFiles:
    """Reads files of served packs.

    Attributes:
        files: What has been prepared.
    """

    files: DoorFiles

    def content(self, pack: ServedPack, document: ServedDocument, file: ServedFile) -> bytes:
        """Return the content of a file, checked by its digest. All of it is in memory.

        Args:
            pack: The pack.
            document: What is served of its image.
            file: A file of the document.

        Raises:
            InvalidRequest: On `path`: the pack's zip is over 20 MiB.
            FileNotFound: The zip is gone, or does not hold the file.
            ServiceUnavailable: S3 did not answer.
        """
        if file.path == SKILL_FILE and document.skill_md is not None:
            return document.skill_md.encode()
        if document.zip is not None and document.zip.size > _MAX_ZIP:
            raise InvalidRequest({"path": f"is in a zip of over {_MAX_ZIP} bytes; download that"})
        key = zip_key(org_id=pack.org_id, pack_id=pack.pack_id, image=pack.image_digest)
        zipped = self.files.zip(key)
        if zipped is None:
            raise FileNotFound
        with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
            content = archive.read(file.path)
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise FileNotFound
        return content
