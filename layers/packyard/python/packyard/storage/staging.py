"""The staging bucket, which holds an archive while its image is built."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from io import SEEK_CUR, SEEK_END, SEEK_SET, BufferedReader, RawIOBase
from typing import IO, TYPE_CHECKING, BinaryIO, Final
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError

from packyard.aws.outages import error_code, outages_translated
from packyard.packs.upload import is_upload_id

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

_GZIP: Final = "application/gzip"
_READ_BYTES: Final = 256 << 10
_MAX_EVENT_CHARACTERS: Final = 64 << 10
_UPLOADED_KEY: Final = re.compile(r"uploads/(?P<upload_id>[^/]+)\.tar\.gz")


def inline_key(ulid: str) -> str:
    """Return the key of an archive that came in the body of a request.

    Args:
        ulid: A new ULID, because a key is used only once.
    """
    return f"inline/{ulid}.tar.gz"


def uploaded_key(upload_id: str) -> str:
    """Return the key of an archive that a client sends directly to the bucket.

    Args:
        upload_id: The upload that the archive belongs to. Its random part keeps others from guessing the key.
    """
    return f"uploads/{upload_id}.tar.gz"


def parse_arrivals(body: str) -> tuple[str, ...]:
    """Return the ids of the uploads whose archives have arrived, from a notification of S3.

    Args:
        body: A notification as S3 sends it to a queue (S3 user guide, "Event message structure"). The test message that
            S3 sends when notifications are enabled gives an empty result.

    Raises:
        ValueError: The body is not a notification, or names an object that is not an upload's archive.
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


def arrival_of(upload_id: str) -> str:
    """Return a notification of the arrival of an upload's archive, as `parse_arrivals` reads it."""
    return json.dumps({"Records": [{"s3": {"object": {"key": uploaded_key(upload_id)}}}]})


def _upload_id(encoded_key: str) -> str:
    key = _UPLOADED_KEY.fullmatch(unquote_plus(encoded_key))
    if key is None or not is_upload_id(key["upload_id"]):
        raise ValueError("the object is not the archive of an upload")
    return key["upload_id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form with which a client can put one object into the bucket. The client sends it as multipart/form-data.

    Attributes:
        url: Where to POST the form.
        fields: The form's fields, in any order. The archive follows as the last field, `file`.
    """

    url: str
    fields: Mapping[str, str]


class Staging:
    """The archives in the bucket, by key.

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
            key: A key from `inline_key`.
            body: The archive. A stream must be seekable, so that botocore can repeat a failed attempt.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        try:
            with outages_translated():
                self._client.put_object(Bucket=self._bucket, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            # Keys are used only once, so the object there is this archive: botocore has repeated a request whose
            # response was lost.
            if error_code(error) != "PreconditionFailed":
                raise

    def form(self, key: str, *, max_bytes: int, lifetime: timedelta) -> Form:
        """Return a form with which a client can upload one object, under this key. Makes no call to AWS.

        The form is signed with this function's credentials. If they expire first, the form expires with them. A client
        may change the `Content-Type`, as upload helpers in browsers do, and may add fields that begin with `x-ignore-`
        (S3 API reference, "POST Policy"). S3 refuses any other field.

        Args:
            key: A key from `uploaded_key`.
            max_bytes: The size of the largest object that S3 accepts. It refuses an empty one too.
            lifetime: How long the form is valid.
        """
        form = self._client.generate_presigned_post(
            Bucket=self._bucket,
            Key=key,
            # A condition names this field, so it must be present (decision 38).
            Fields={"Content-Type": _GZIP},
            Conditions=[["content-length-range", 1, max_bytes], ["starts-with", "$Content-Type", ""]],
            ExpiresIn=int(lifetime.total_seconds()),
        )
        return Form(url=form["url"], fields=form["fields"])

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """Open a staged archive as a stream. Only a part of it is in memory at a time.

        It can be read again: a read after `seek(0)` takes another request.

        Raises:
            ServiceUnavailable: S3 did not answer, when opening or at a read; or it sent less than the whole object.
        """
        with closing(_Download(partial(self._client.get_object, Bucket=self._bucket, Key=key))) as download:
            yield BufferedReader(download, _READ_BYTES)

    def delete(self, key: str) -> None:
        """Remove a staged archive. A missing archive is no error.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        with outages_translated():
            self._client.delete_object(Bucket=self._bucket, Key=key)


class _Download(RawIOBase):
    """An S3 object as a raw stream.

    Args:
        get: Makes the request for it, with more arguments of GetObject.
    """

    def __init__(self, get: Callable[..., "GetObjectOutputTypeDef"]) -> None:
        super().__init__()
        self._get = get
        with outages_translated():
            found = get()
        self._body: StreamingBody | None = found["Body"]
        self._size = found["ContentLength"]
        self._etag = found["ETag"]
        # Where the next read starts, and where the body is.
        self._position = self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = SEEK_SET, /) -> int:
        start = {SEEK_SET: 0, SEEK_CUR: self._position, SEEK_END: self._size}[whence]
        self._position = start + offset
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        with outages_translated():
            piece = self._from_here().read(len(view))
        view[: len(piece)] = piece
        self._position = self._at = self._position + len(piece)
        return len(piece)

    def close(self) -> None:
        if self._body is not None:
            self._body.close()
        super().close()

    def _from_here(self) -> "StreamingBody":
        if self._body is None or self._at != self._position:
            if self._body is not None:
                self._body.close()
                self._body = None
            # The client may have sent another object to the same form in between, which S3 then refuses to give.
            self._body = self._get(IfMatch=self._etag, Range=f"bytes={self._position}-")["Body"]
        return self._body
