"""Files that are too large for a response of the gateway. They are staged in S3 and offered by a presigned URL.

A file is staged under its digest, after its content was checked against it. The bucket's lifecycle rule removes it
after a day.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from packyard.aws.outages import outages_translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# A file older than this is staged again, long before the bucket removes it.
_REUSED_FOR: Final = timedelta(hours=12)
_URL_LIFETIME: Final = timedelta(minutes=5)
# Without the permission to list the bucket, S3 answers 403 for a missing object (S3 API reference, HeadObject).
_ABSENT: Final = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
# No smaller file is staged: an answer carries it.
STAGED_FROM: Final = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A staged file.

    Attributes:
        sha256: The SHA-256 of its content, in hex.
        is_text: Whether it is text, as determined when it was staged.
    """

    sha256: str
    is_text: bool


class Downloads:
    """The bucket's staged files, by digest.

    Args:
        client: An S3 client that signs with Signature Version 4.
        bucket: The bucket's name.
        clock: Returns the current time, in UTC.
    """

    def __init__(self, *, client: "S3Client", bucket: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._bucket = bucket
        self._clock = clock

    def find(self, sha256: str) -> Download | None:
        """Return a staged file, or None if there is none or the bucket will remove it soon.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        try:
            with outages_translated():
                found = self._client.head_object(Bucket=self._bucket, Key=staged_key(sha256))
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in _ABSENT:
                raise
            return None
        if found["LastModified"] + _REUSED_FOR < self._clock():
            return None
        return Download(sha256=sha256, is_text=found["Metadata"].get("text") == "true")

    def put(self, sha256: str, content: IO[bytes], *, is_text: bool) -> Download:
        """Stage a file.

        Args:
            sha256: The SHA-256 of the content in hex, already verified.
            content: A seekable stream, read from its current position.
            is_text: Whether it is text.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        metadata = {"text": "true" if is_text else "false"}
        with outages_translated():
            self._client.put_object(
                Bucket=self._bucket, Key=staged_key(sha256), Body=content, Metadata=metadata
            )
        return Download(sha256=sha256, is_text=is_text)

    def url(self, download: Download, *, content_type: str, disposition: str) -> str:
        """Return a URL from which anyone can download a staged file for five minutes. Makes no call to AWS.

        Args:
            download: The file.
            content_type: The Content-Type of S3's response.
            disposition: The Content-Disposition of S3's response.
        """
        return self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": staged_key(download.sha256),
                "ResponseContentType": content_type,
                "ResponseContentDisposition": disposition,
            },
            ExpiresIn=int(_URL_LIFETIME.total_seconds()),
        )


def staged_key(sha256: str) -> str:
    """Return the key of a staged file.

    Args:
        sha256: The SHA-256 of its content, in hex.
    """
    return f"files/{sha256}"
