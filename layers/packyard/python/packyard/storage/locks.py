"""The lock documents of roles, in the staging bucket.

They are a cache and may be lost at any time: each can be made again. So an error here never fails a request; it is only
logged. A document never changes, since its key has the role's revision.
"""

from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from packyard.aws.outages import error_code, outages_translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = Logger(child=True)

_URL_SECONDS: Final = 300

# Without the permission to list the bucket, S3 answers 403 for a missing object (S3 API reference, GetObject).
_ABSENT: Final = frozenset({"NoSuchKey", "404", "AccessDenied", "403"})


def lock_key(*, org_id: str, role_id: str, tag: str) -> str:
    """Return the key of a lock document.

    Args:
        org_id: The organisation whose role it is.
        role_id: The role.
        tag: The document's entity tag, without quotes.
    """
    return f"locks/{org_id}/{role_id}/{tag}.json"


class Locks:
    """The bucket's lock documents.

    Args:
        client: An S3 client.
        bucket: The bucket's name.
    """

    def __init__(self, *, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def get(self, key: str) -> bytes | None:
        """Return a document, or None if it is missing or cannot be read now."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=key)
            with found["Body"] as body:
                return body.read()
        except ClientError as error:
            note = logger.info if error_code(error) in _ABSENT else logger.warning
            note("no lock document", extra={"key": key}, exc_info=error)
        except BotoCoreError:
            logger.warning("lock document not read", extra={"key": key}, exc_info=True)
        return None

    def put(self, key: str, content: bytes) -> None:
        """Store a document. A failure is only logged."""
        try:
            self._put(key, content)
        except (BotoCoreError, ClientError):
            logger.warning("lock document not kept", extra={"key": key}, exc_info=True)

    def stage(self, key: str, content: bytes) -> str:
        """Store a document, and return a URL from which anyone can download it for five minutes.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        with outages_translated():
            self._put(key, content)
        return self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": key,
                "ResponseContentDisposition": "attachment; filename=lock.json",
            },
            ExpiresIn=_URL_SECONDS,
        )

    def _put(self, key: str, content: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType="application/json")
