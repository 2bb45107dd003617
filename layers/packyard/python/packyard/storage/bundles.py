"""The bundles of roles, in the staging bucket.

A bundle never changes, since its key has what decides the role's lock. It can be made again from the images.
"""

from datetime import datetime
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from botocore.exceptions import ClientError

from packyard.aws.outages import error_code, outages_translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_URL_SECONDS: Final = 300
_ABSENT: Final = frozenset({"NoSuchKey", "404", "AccessDenied", "403"})
_REFUSED: Final = "refused"


class Kept(NamedTuple):
    """What there is of a bundle.

    Attributes:
        at: When it was put.
        refused: Why there is none and will be none; None if it is there.
    """

    at: datetime
    refused: str | None


def bundle_key(*, org_id: str, role_id: str, tag: str) -> str:
    """Return the key of a role's bundle.

    Args:
        org_id: The organisation whose role it is.
        role_id: The role.
        tag: What decides its lock.
    """
    return f"bundles/{org_id}/{role_id}/{tag}.tar"


def asked_key(key: str) -> str:
    """Return the key of the note that a bundle was asked for."""
    return f"{key}.asked"


class Bundles:
    """The bucket's bundles.

    Args:
        client: An S3 client that signs with Signature Version 4.
        bucket: The bucket's name.
    """

    def __init__(self, *, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def find(self, key: str) -> Kept | None:
        """Return what there is of a bundle; None for nothing.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        try:
            with outages_translated():
                found = self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error_code(error) not in _ABSENT:
                raise
            return None
        return Kept(found["LastModified"], found["Metadata"].get(_REFUSED))

    def put(self, key: str, content: IO[bytes]) -> None:
        """Store a bundle.

        Args:
            key: Its key.
            content: A seekable stream, read from its current position.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        with outages_translated():
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=content, ContentType="application/x-tar"
            )

    def refuse(self, key: str, reason: str) -> None:
        """Note that a bundle is not made.

        Args:
            key: Its key.
            reason: Why, in ASCII.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        with outages_translated():
            self._client.put_object(Bucket=self._bucket, Key=key, Body=b"", Metadata={_REFUSED: reason})

    def note(self, key: str) -> None:
        """Store an empty object, whose time is of interest.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        with outages_translated():
            self._client.put_object(Bucket=self._bucket, Key=key, Body=b"")

    def url(self, key: str) -> str:
        """Return a URL from which anyone can download a bundle for five minutes. Makes no call to AWS."""
        return self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": key,
                "ResponseContentDisposition": "attachment; filename=bundle.tar",
            },
            ExpiresIn=_URL_SECONDS,
        )
