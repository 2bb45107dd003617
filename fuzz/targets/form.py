"""A form with an archive, as a client posts it. The first line of an input is its content type."""

import json
from collections.abc import Iterator
from typing import Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from tests.gateway import Request, multipart

from packyard.errors import InvalidRequest, PayloadTooLarge, UnsupportedMediaType
from packyard.http.form import read_form
from packyard.http.upload import PACK_FORM

_MAX_BYTES: Final = 8 << 10


def check(data: bytes) -> None:
    content_type, _, body = data.partition(b"\n")
    headers = {"Content-Type": content_type.decode("latin-1")}
    event = Request(method="POST", resource="/packs/upload", headers=headers, body=body).event()
    try:
        parts = read_form(APIGatewayProxyEvent(event), PACK_FORM, max_bytes=_MAX_BYTES)
    except (InvalidRequest, PayloadTooLarge, UnsupportedMediaType) as refusal:
        json.dumps(refusal.inner("request"), ensure_ascii=False).encode()
        return
    assert parts.keys() <= {field.name for field in PACK_FORM.fields}
    assert sum(len(part.content) for part in parts.values()) <= len(body) <= _MAX_BYTES
    assert all(part.content in body for part in parts.values())


def seeds() -> Iterator[bytes]:
    for parts in (
        {"archive": b"\x1f\x8b\r\n--x"},
        {"archive": b"", "visibility": b"community"},
        {"other": b"x"},
    ):
        body, headers = multipart(parts)
        yield headers["Content-Type"].encode() + b"\n" + body
    yield b"multipart/form-data; boundary=b\n--b\r\nContent-Disposition: form-data; name=archive\r\n\r\nx\r\n--b--\r\n"
    yield b"multipart/form-data; boundary=\"a b\"\n--a b\r\nContent-Disposition: form-data; name*=UTF-8''archive\r\n"
    yield b"multipart/form-data; boundary=b\nx\r\n--b \r\ncontent-disposition:\r\n\tform-data;name=a\r\n\r\n--b--\r\ny"
    yield b'multipart/form-data; boundary=b\n--b\r\nContent-Disposition: form-data; name=archive; filename="a"b"\r\n'
    yield b"application/json\n{}"
