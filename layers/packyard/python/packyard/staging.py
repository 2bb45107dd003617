"""The staging bucket: where an archive waits while its image is built."""

from typing import IO, TYPE_CHECKING

from botocore.exceptions import ClientError

from packyard.aws import error_code, outages_translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def inline_key(ulid: str) -> str:
    """Return the key of an archive that came in a request's own body.

    Args:
        ulid: A new ULID; a key is used once.
    """
    return f"inline/{ulid}.tar.gz"


class Staging:
    """The bucket, by key.

    Args:
        client: An S3 client.
        bucket: The bucket's name.
    """

    def __init__(self, *, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, body: bytes | IO[bytes]) -> None:
        """Stage an archive under a key that nothing else uses.

        Args:
            key: As made by `inline_key`.
            body: The archive; a stream must be seekable, so that a failed attempt can be repeated.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        try:
            with outages_translated():
                self._client.put_object(Bucket=self._bucket, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            # Keys are used once, so the object that stands there is this one: botocore repeated a request
            # whose answer was lost.
            if error_code(error) != "PreconditionFailed":
                raise

    def delete(self, key: str) -> None:
        """Remove a staged archive; one that is gone counts as removed.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        with outages_translated():
            self._client.delete_object(Bucket=self._bucket, Key=key)
