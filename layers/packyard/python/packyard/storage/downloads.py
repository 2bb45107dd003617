"""Files that are too large for an answer of the gateway: staged under their digest, and offered by a URL for a while.

What lies under a digest has been checked against it before it was put there. The bucket forgets it after a day.
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

# Well before the bucket forgets what it has, it is put there again.
_GOOD_FOR: Final = timedelta(hours=12)
_LIFETIME: Final = timedelta(minutes=5)
# To whom it would not list the bucket, S3 says 403 of what is not there.
_ABSENT: Final = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that is staged.

    Attributes:
        sha256: Of its content, in hex.
        is_text: Whether it is text, as found out when it was staged.
    """

    sha256: str
    is_text: bool


class Downloads:
    """The bucket's staged files, by digest.

    Args:
        client: An S3 client that signs with Signature Version 4.
        bucket: The bucket's name.
        clock: The present instant, UTC.
    """

    def __init__(self, *, client: "S3Client", bucket: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._bucket = bucket
        self._clock = clock

    def find(self, sha256: str) -> Download | None:
        """Return a file that is staged, unless the bucket is to forget it soon.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        try:
            with outages_translated():
                found = self._client.head_object(Bucket=self._bucket, Key=_key(sha256))
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in _ABSENT:
                raise
            return None
        if found["LastModified"] + _GOOD_FOR < self._clock():
            return None
        return Download(sha256=sha256, is_text=found["Metadata"].get("text") == "true")

    def put(self, sha256: str, content: IO[bytes], *, is_text: bool) -> Download:
        """Stage a file.

        Args:
            sha256: What the content has been found to have.
            content: A seekable stream, read from where it stands.
            is_text: Whether it is text.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        metadata = {"text": "true" if is_text else "false"}
        with outages_translated():
            self._client.put_object(Bucket=self._bucket, Key=_key(sha256), Body=content, Metadata=metadata)
        return Download(sha256=sha256, is_text=is_text)

    def url(self, download: Download, *, content_type: str, disposition: str) -> str:
        """Return a URL that gives a staged file to whoever has it, for five minutes. No call leaves the process.

        Args:
            download: The file.
            content_type: What S3 is to call it.
            disposition: The Content-Disposition that S3 is to answer with.
        """
        return self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": _key(download.sha256),
                "ResponseContentType": content_type,
                "ResponseContentDisposition": disposition,
            },
            ExpiresIn=int(_LIFETIME.total_seconds()),
        )


def _key(sha256: str) -> str:
    return f"files/{sha256}"
