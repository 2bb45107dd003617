"""The staging bucket: where an archive waits while its image is built."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import BufferedReader, RawIOBase
from typing import IO, TYPE_CHECKING, BinaryIO, Final
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError

from packyard.aws.outages import error_code, outages_translated
from packyard.packs.upload import is_upload_id

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

_GZIP: Final = "application/gzip"
_READ_BYTES: Final = 256 << 10
_MAX_EVENT_CHARACTERS: Final = 64 << 10
_UPLOADED_KEY: Final = re.compile(r"uploads/(?P<upload_id>[^/]+)\.tar\.gz")


def inline_key(ulid: str) -> str:
    """Return the key of an archive that came in a request's own body.

    Args:
        ulid: A new ULID; a key is used once.
    """
    return f"inline/{ulid}.tar.gz"


def uploaded_key(upload_id: str) -> str:
    """Return the key of an archive that a client sends by itself.

    Args:
        upload_id: The upload that it belongs to; its random part makes the key one that nobody guesses.
    """
    return f"uploads/{upload_id}.tar.gz"


def parse_arrivals(body: str) -> tuple[str, ...]:
    """Return the ids of the uploads whose archives a message from S3 reports.

    Args:
        body: A notification as S3 sends it to a queue (S3 user guide, "Event message structure"), or the test message
            that it sends when notifications are switched on, which reports none.

    Raises:
        ValueError: It is neither, or reports an object that is not an upload's archive.
    """
    if len(body) > _MAX_EVENT_CHARACTERS:
        raise ValueError(f"the message is longer than {_MAX_EVENT_CHARACTERS} characters")
    try:
        event = json.loads(body)
        if event.get("Event") == "s3:TestEvent":
            return ()
        return tuple(_upload_id(record["s3"]["object"]["key"]) for record in event["Records"])
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("the message is not a notification from S3") from error


def _upload_id(encoded_key: str) -> str:
    key = _UPLOADED_KEY.fullmatch(unquote_plus(encoded_key))
    if key is None or not is_upload_id(key["upload_id"]):
        raise ValueError("the object is not the archive of an upload")
    return key["upload_id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What lets a client put one object into the bucket, once it is sent as multipart/form-data.

    Attributes:
        url: Where to post it.
        fields: Its fields, in any order; the part `file` comes last.
    """

    url: str
    fields: Mapping[str, str]


class Staging:
    """The bucket, by key.

    Args:
        client: An S3 client that signs with Signature Version 4.
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

    def form(self, key: str, *, max_bytes: int, lifetime: timedelta) -> Form:
        """Return a form that takes an object of this key, and no other, for a while. No call leaves the process.

        It says so under this function's own credentials, and ends with them when they end first. It takes another
        `Content-Type` in place of its own, as helpers of browsers send, and fields that begin with `x-ignore-` (S3 API
        reference, "POST Policy"); every other field is refused.

        Args:
            key: As made by `uploaded_key`.
            max_bytes: The largest object; an empty one is refused too.
            lifetime: How long the form is good for.
        """
        form = self._client.generate_presigned_post(
            Bucket=self._bucket,
            Key=key,
            # A field that a condition names has to be there, so the form has one (decision 38).
            Fields={"Content-Type": _GZIP},
            Conditions=[["content-length-range", 1, max_bytes], ["starts-with", "$Content-Type", ""]],
            ExpiresIn=int(lifetime.total_seconds()),
        )
        return Form(url=form["url"], fields=form["fields"])

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """Read a staged archive from its start, once, while the context lasts; only a piece of it is ever in memory.

        Raises:
            ServiceUnavailable: S3 did not answer, here or at any read, or ended the object before its end.
        """
        with outages_translated():
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
        with closing(body):
            yield BufferedReader(_Download(body), _READ_BYTES)

    def delete(self, key: str) -> None:
        """Remove a staged archive; one that is gone counts as removed.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        with outages_translated():
            self._client.delete_object(Bucket=self._bucket, Key=key)


class _Download(RawIOBase):
    """An object on its way from S3, as a raw stream."""

    def __init__(self, body: "StreamingBody") -> None:
        super().__init__()
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        with outages_translated():
            piece = self._body.read(len(view))
        view[: len(piece)] = piece
        return len(piece)
