"""The file indexes of images, and the windows of their checkpoints, in the staging bucket.

They are a cache and may be lost at any time. Without them, more of an image is read from its registry. So an error here
never fails a request; it is only logged.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from packyard.aws.outages import error_code
from packyard.oci.digest import Digest, digest_of
from packyard.oci.read.checkpoints import Checkpoint, kept_window
from packyard.oci.read.file_index import MAX_BYTES, FileIndex
from packyard.oci.read.index_lines import IndexLines, parse_lines
from packyard.oci.read.index_parser import WITH_HARD_LINKS, parse_index

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = Logger(child=True)
Parsed = TypeVar("Parsed")

_MISSING: Final = frozenset({"NoSuchKey", "404"})
_FORBIDDEN: Final = frozenset({"AccessDenied", "403"})
_UNREADABLE: Final = (
    "This function cannot read the file index that it has just written, so it reads every image whole. Allow it"
    " s3:GetObject on indexes/* of the staging bucket: check its role, and the bucket's policy and key."
)


def index_key(digest: Digest, *, reader: str | None = None) -> str:
    """Return the key of an index.

    Args:
        digest: Of the layers, for an image that we have built; of the image for any other.
        reader: The organisation that has read the image, when it is in a registry of others: that may let in one and
            not the next. None in our own, where whoever sees a pack may read it.
    """
    folder = "indexes" if reader is None else f"indexes/{reader}"
    return f"{folder}/{digest.replace(':', '/')}.json.gz"


def windows_key(digest: Digest, *, reader: str | None = None) -> str:
    """Return the key of the windows of a layer's checkpoints.

    It is the digest of the windows, not of the layer: processors compress them to different bytes, and an index states
    where each of its own lies.

    Args:
        digest: The digest of the windows as they are stored.
        reader: As for `index_key`.
    """
    folder = "indexes" if reader is None else f"indexes/{reader}"
    return f"{folder}/windows/{digest.replace(':', '/')}"


class FileIndexes:
    """The bucket's indexes, by digest.

    Args:
        client: An S3 client.
        bucket: The bucket's name.
    """

    def __init__(self, *, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        # Whether S3 has answered 403: the index may be missing, or reading may be forbidden.
        self._maybe_forbidden = False
        # Whether a read has succeeded.
        self._readable = False

    def get(
        self,
        digest: Digest,
        *,
        reader: str | None = None,
        only: str | None = None,
        oldest: int = WITH_HARD_LINKS,
    ) -> FileIndex | None:
        """Return an index, or None if it is missing, is damaged, or cannot be read now.

        The functions have no permission to list the bucket, so S3 answers 403 for a missing key (S3 API reference,
        GetObject). The next `put` finds out whether a 403 meant that, or that reading is forbidden (decision 70).

        Args:
            digest: As for `index_key`.
            reader: As for `index_key`.
            only: The path of the one file to return; None for all files.
            oldest: As for `parse_index`.
        """
        return self._read(digest, reader, partial(parse_index, only=only, oldest=oldest))

    def lines(
        self, digest: Digest, *, reader: str | None = None, oldest: int = WITH_HARD_LINKS
    ) -> IndexLines | None:
        """Return the lines of an index, or None as for `get`.

        Args:
            digest: As for `index_key`.
            reader: As for `index_key`.
            oldest: As for `parse_index`.
        """
        return self._read(digest, reader, partial(parse_lines, oldest=oldest))

    def _read(self, digest: Digest, reader: str | None, parse: Callable[[bytes], Parsed]) -> Parsed | None:
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=index_key(digest, reader=reader))
            self._readable = True
            with found["Body"] as body:
                return parse(body.read(MAX_BYTES + 1))
        except ValueError:
            logger.warning("file index damaged", extra={"digest": digest}, exc_info=True)
        except ClientError as error:
            self._note_refusal(error, digest)
        except BotoCoreError:
            logger.warning("file index not read", extra={"digest": digest}, exc_info=True)
        return None

    def put(self, digest: Digest, index: FileIndex, *, reader: str | None = None) -> None:
        """Store an index under the key from `index_key`. A failure is only logged."""
        key = index_key(digest, reader=reader)
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=index.to_bytes())
        except (BotoCoreError, ClientError, ValueError):
            logger.warning("file index not kept", extra={"digest": digest}, exc_info=True)
            return
        if self._maybe_forbidden and not self._readable:
            self._try_to_read(key)

    def put_windows(self, windows: bytes, *, reader: str | None = None) -> None:
        """Store the windows of a layer's checkpoints at `windows_key`. An error is only logged.

        Args:
            windows: The second part of what `CheckpointLog.finish` returns.
            reader: As for `index_key`.
        """
        key = windows_key(digest_of(windows), reader=reader)
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=windows)
        except (BotoCoreError, ClientError):
            logger.warning("checkpoints not kept", extra={"key": key}, exc_info=True)

    def window(self, digest: Digest, checkpoint: Checkpoint, *, reader: str | None = None) -> bytes | None:
        """Return a checkpoint's window, or None if it does not exist, is damaged, or S3 does not answer.

        Args:
            digest: As for `windows_key`.
            checkpoint: The checkpoint, of an index that names these windows.
            reader: As for `index_key`.
        """
        last = checkpoint.kept_at + checkpoint.kept_size - 1
        try:
            found = self._client.get_object(
                Bucket=self._bucket,
                Key=windows_key(digest, reader=reader),
                Range=f"bytes={checkpoint.kept_at}-{last}",
            )
            with found["Body"] as body:
                return kept_window(body.read(checkpoint.kept_size))
        except ClientError as error:
            note = logger.info if error_code(error) in _MISSING | _FORBIDDEN else logger.warning
            note("no checkpoint", extra={"digest": digest}, exc_info=error)
        except (BotoCoreError, ValueError):
            logger.warning("checkpoint not read", extra={"digest": digest}, exc_info=True)
        return None

    def _note_refusal(self, error: ClientError, digest: Digest) -> None:
        code = error_code(error)
        if code in _MISSING or code in _FORBIDDEN:
            self._maybe_forbidden = code in _FORBIDDEN
            logger.info("no file index", extra={"digest": digest})
        else:
            logger.warning("file index not read", extra={"digest": digest}, exc_info=error)

    def _try_to_read(self, key: str) -> None:
        """Read an index that was just written, so a 403 can only mean that reading is forbidden, and log that."""
        self._maybe_forbidden = False
        try:
            self._client.get_object(Bucket=self._bucket, Key=key)["Body"].close()
            self._readable = True
        except ClientError as error:
            if error_code(error) in _FORBIDDEN:
                logger.warning(_UNREADABLE, exc_info=True)
        except BotoCoreError:
            logger.info("file index not tried", exc_info=True)
