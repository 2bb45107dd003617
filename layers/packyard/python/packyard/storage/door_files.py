"""What the doors serve, in the staging bucket: the zip and the document of each image, and the catalogues of roles.

All of it can be made again from the images. A zip and a document are kept as long as their image, so that a digest that
a client knows stays true. A catalogue never changes, since its key has the role's revision; an error with one never
fails a request.
"""

from typing import IO, TYPE_CHECKING, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from packyard.aws.outages import error_code, outages_translated
from packyard.oci.digest import Digest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = Logger(child=True)

_URL_SECONDS: Final = 300
_JSON: Final = "application/json"
_ZIP: Final = "application/zip"
_BLOB: Final = "application/octet-stream"
# Without the permission to list the bucket, S3 answers 403 for a missing object (S3 API reference, GetObject).
_ABSENT: Final = frozenset({"NoSuchKey", "404", "AccessDenied", "403"})


def zip_key(*, org_id: str, pack_id: str, image: Digest) -> str:
    """Return the key of an image's zip.

    Args:
        org_id: The organisation that owns the pack.
        pack_id: The pack.
        image: The image's digest.
    """
    return f"{_stem(org_id, pack_id, image)}.zip"


def document_key(*, org_id: str, pack_id: str, image: Digest) -> str:
    """Return the key of an image's document; see `zip_key`."""
    return f"{_stem(org_id, pack_id, image)}.json"


def layer_key(*, org_id: str, pack_id: str, image: Digest) -> str:
    """Return the key of the layer of an image's skill artifact; see `zip_key`."""
    return f"{_stem(org_id, pack_id, image)}.tgz"


def keys_of(*, org_id: str, pack_id: str, image: Digest) -> tuple[str, ...]:
    """Return the keys of all that the doors have of an image; see `zip_key`. The document is the first to go."""
    stem = _stem(org_id, pack_id, image)
    return (f"{stem}.json", f"{stem}.zip", f"{stem}.tgz")


def catalogue_key(*, org_id: str, role_id: str, tag: str) -> str:
    """Return the key of a role's catalogue.

    Args:
        org_id: The organisation whose role it is.
        role_id: The role.
        tag: What decides the catalogue.
    """
    return f"catalogues/{org_id}/{role_id}/{tag}.json"


class DoorFiles:
    """The bucket's files for the doors.

    Args:
        client: An S3 client that signs with Signature Version 4.
        bucket: The bucket's name.
    """

    def __init__(self, *, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def document(self, key: str) -> bytes | None:
        """Return the document of an image, or None if there is none.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        return self._found(key)

    def zip(self, key: str) -> bytes | None:
        """Return a zip, or None if there is none. All of it is in memory.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        return self._found(key)

    def put_zip(self, key: str, content: IO[bytes]) -> None:
        """Store a zip.

        Args:
            key: Its key.
            content: A seekable stream, read from its current position.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        self._put(key, content, _ZIP)

    def put_layer(self, key: str, content: IO[bytes]) -> None:
        """Store the layer of a skill artifact; see `put_zip`."""
        self._put(key, content, _BLOB)

    def put_document(self, key: str, content: bytes) -> None:
        """Store a document.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        self._put(key, content, _JSON)

    def catalogue(self, key: str) -> bytes | None:
        """Return a catalogue, or None if it is missing or cannot be read now."""
        try:
            return self._get(key)
        except ClientError as error:
            note = logger.info if error_code(error) in _ABSENT else logger.warning
            note("no catalogue", extra={"key": key}, exc_info=error)
        except BotoCoreError:
            logger.warning("catalogue not read", extra={"key": key}, exc_info=True)
        return None

    def put_catalogue(self, key: str, content: bytes) -> None:
        """Store a catalogue. A failure is only logged."""
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=_JSON)
        except (BotoCoreError, ClientError):
            logger.warning("catalogue not kept", extra={"key": key}, exc_info=True)

    def zip_url(self, key: str, *, name: str) -> str:
        """Return a URL from which anyone can download a zip for five minutes. Makes no call to AWS.

        Args:
            key: The zip's.
            name: Under which browsers save it.
        """
        return self._url(key, _ZIP, f"attachment; filename={name}")

    def layer_url(self, key: str) -> str:
        """Return a URL from which anyone can download a layer for five minutes. Makes no call to AWS."""
        return self._url(key, _BLOB, "attachment")

    def _url(self, key: str, content_type: str, disposition: str) -> str:
        return self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": key,
                "ResponseContentType": content_type,
                "ResponseContentDisposition": disposition,
            },
            ExpiresIn=_URL_SECONDS,
        )

    def _put(self, key: str, content: IO[bytes] | bytes, content_type: str) -> None:
        with outages_translated():
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=content_type)

    def _found(self, key: str) -> bytes | None:
        try:
            with outages_translated():
                return self._get(key)
        except ClientError as error:
            if error_code(error) not in _ABSENT:
                raise
            return None

    def _get(self, key: str) -> bytes:
        found = self._client.get_object(Bucket=self._bucket, Key=key)
        with found["Body"] as body:
            return body.read()


def _stem(org_id: str, pack_id: str, image: Digest) -> str:
    return f"doors/{org_id}/{pack_id}/{image.removeprefix('sha256:')}"
