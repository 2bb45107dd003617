"""Other parts of a request: a file's path, a JSON body, a cursor. An input's first byte says which."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from tests.gateway import Request

from packyard.errors import InvalidRequest, PayloadTooLarge, UnsupportedMediaType
from packyard.http.fields import Body, Field
from packyard.http.file_path import read_file_path
from packyard.http.json_body import read_json
from packyard.store.cursor import Position, decode_cursor, encode_cursor

_BODY: Final = Body(name="Fuzzed", description="", fields=(Field(name="image_ref"), Field(name="visibility")))
_KEY: Final = "k" * 32
_BINDING: Final = {"org": "org_test", "owned": None}
_CURSOR: Final = encode_cursor(Position("LIST#name#pack_1"), key=_KEY, binding=_BINDING)


def check(data: bytes) -> None:
    if not data:
        return
    reader = _READERS[data[0] % len(_READERS)]
    try:
        reader(data[1:])
    except (InvalidRequest, PayloadTooLarge, UnsupportedMediaType) as refusal:
        json.dumps(refusal.inner("request"), ensure_ascii=False).encode()


def seeds() -> Iterator[bytes]:
    for path in (b"guides/a.md", b"data/caf%C3%A9", b"%2e%2e/x", b"a//b", b"a%2Fb", b"%", b"a%00"):
        yield b"\0" + path
    for body in (
        b'{"image_ref": "a/b"}',
        b'{"visibility": 1e999}',
        b'{"a": 1, "a": 2}',
        b"[[[]]]",
        b'"\\ud800"',
        b"\xff",
    ):
        yield b"\1" + body
    for cursor in (_CURSOR, _CURSOR[:-1], "A" * 24, "-" * 256):
        yield b"\2" + cursor.encode()


def _path(data: bytes) -> None:
    path = f"/v1/packs/pack_1/files/{data.decode('latin-1')}"
    event = Request(method="GET", resource="/packs/{id}/files/{path}", path=path).event()
    found = read_file_path(APIGatewayProxyEvent(event))
    assert not {"", ".", ".."} & set(found.split("/"))
    assert "\0" not in found
    found.encode()


def _json(data: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    event = Request(method="POST", resource="/packs", headers=headers, body=data).event()
    given = read_json(APIGatewayProxyEvent(event), _BODY)
    assert given.keys() <= {field.name for field in _BODY.fields}
    if given:
        assert given == json.loads(data)


def _cursor(data: bytes) -> None:
    text = data.decode("latin-1")
    position = decode_cursor(text, keys=[_KEY], binding=_BINDING)
    # Only what was signed is accepted, although base64 can write its last bits in more than one way.
    assert position == "LIST#name#pack_1"
    assert re.fullmatch(re.escape(_CURSOR[:-1]) + "[A-Za-z0-9_-]", text)


_READERS: Final[tuple[Callable[[bytes], None], ...]] = (_path, _json, _cursor)
