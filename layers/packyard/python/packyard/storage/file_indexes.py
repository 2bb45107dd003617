"""The file indexes of images, in the staging bucket: a cache that may be lost at any time.

Nothing depends on them but how much is read from a registry, so nothing that goes wrong with them stops anybody.
"""

from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from packyard.oci.digest import Digest
from packyard.oci.read.file_index import FORMAT, MAX_BYTES, FileIndex, parse_index

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = Logger(child=True)


def index_key(digest: Digest, *, reader: str | None = None) -> str:
    """Return the key of an index.

    Args:
        digest: Of the layer, for an image that we have built; of the image for any other.
        reader: The organisation that has read the image, when it is in a registry of others: that may let in one and
            not the next. None in our own, where whoever sees a pack may read it.
    """
    folder = "indexes" if reader is None else f"indexes/{reader}"
    return f"{folder}/{digest.replace(':', '/')}.json.gz"


class FileIndexes:
    """The bucket's indexes, by digest.

    Args:
        client: An S3 client.
        bucket: The bucket's name.
    """

    def __init__(self, *, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def get(
        self, digest: Digest, *, reader: str | None = None, only: str | None = None, oldest: int = FORMAT
    ) -> FileIndex | None:
        """Return an index, or None when it is not there, is damaged, or cannot be had now.

        S3 says of what is not there that it is forbidden, to whom it would not list the bucket.

        Args:
            digest: As for `index_key`.
            reader: As for `index_key`.
            only: The path of the only file that is wanted; None for all.
            oldest: As for `parse_index`.
        """
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=index_key(digest, reader=reader))
            with found["Body"] as body:
                return parse_index(body.read(MAX_BYTES + 1), only=only, oldest=oldest)
        except ValueError:
            logger.warning("file index damaged", extra={"digest": digest}, exc_info=True)
        except (BotoCoreError, ClientError):
            logger.info("no file index", extra={"digest": digest}, exc_info=True)
        return None

    def put(self, digest: Digest, index: FileIndex, *, reader: str | None = None) -> None:
        """Keep an index, if that can be done; where, `index_key` says."""
        key = index_key(digest, reader=reader)
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=index.to_bytes())
        except (BotoCoreError, ClientError, ValueError):
            logger.warning("file index not kept", extra={"digest": digest}, exc_info=True)
