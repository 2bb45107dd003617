"""Parsing a multipart body (RFC 2046, section 5.1, and RFC 7578), in one pass and within bounds (decision 35).

Everything that the two RFCs allow is accepted: a preamble and an epilogue, white space after a boundary, folded part
headers, headers in any case and order, quoted and bare values, file names in any encoding. A part's other headers are
ignored (RFC 7578, section 4.8). A part whose name two readers could read differently is refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

MAX_PARTS: Final = 8
MAX_BOUNDARY: Final = 70  # RFC 2046, section 5.1.1
MAX_HEADER_BYTES: Final = 8192
MAX_HEADER_LINES: Final = 32

# A token of RFC 9110, section 5.6.2.
_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
# An unquoted value need not be a token: boundaries of Java and .NET hold `=` and `/`, names of files any byte.
_PARAMETER: Final = re.compile(rf'[ \t]*;[ \t]*(?:({_WORD})[ \t]*=[ \t]*({_QUOTED}|[^";]*))?', re.DOTALL)
_OTHER_NAME: Final = re.compile(r"(?<![0-9A-Za-z_-])name[ \t]*(?:\*[ \t]*)?=", re.IGNORECASE)
_VALUE: Final = re.compile(rf"[ \t]*({_WORD}(?:/{_WORD})?)")
_HEADER: Final = re.compile(rf"({_WORD})[ \t]*:(.*)", re.DOTALL)
_FOLD: Final = re.compile(r"\r\n[ \t]+")
# Transport padding, and after the last delimiter any line end or none (RFC 2046, section 5.1.1).
_DELIMITER_TAIL: Final = re.compile(rb"[ \t]*\r\n|(--)[ \t]*(?:\r?\n|\Z)")
_QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)
# The encodings that change nothing (RFC 2045, section 6.2).
_PLAIN_ENCODINGS: Final = frozenset({"binary", "8bit", "7bit", ""})


class MalformedForm(ValueError):
    """The body is not a form with one possible reading. The text is for people, and follows the name of a field."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form.

    Attributes:
        name: The name in its Content-Disposition.
        is_file: Whether its Content-Disposition has a file's name too.
        content: Its bytes.
    """

    name: str
    is_file: bool
    content: bytes


@dataclass(frozen=True, slots=True)
class _Delimiter:
    """The place of a line with the boundary, including the line end before it."""

    start: int
    end: int
    is_last: bool


def parse_parameters(text: str) -> tuple[str, Mapping[str, str], str]:
    """Return a header's value in lower case, its parameters by their names in lower case, and the unread rest.

    Raises:
        MalformedForm: A parameter is given twice.
    """
    value = _VALUE.match(text)
    if value is None:
        return "", {}, text
    parameters: dict[str, str] = {}
    at = value.end()
    while (parameter := _PARAMETER.match(text, at)) is not None:
        at = parameter.end()
        name, given = parameter.groups()
        if name is None:
            continue
        if name.lower() in parameters:
            raise MalformedForm(f"has a header that gives {name.lower()} more than once")
        parameters[name.lower()] = _unquoted(given)
    return value[1].lower(), parameters, text[at:].strip(" \t")


def parts_of(body: bytes, boundary: str, *, max_parts: int = MAX_PARTS) -> Iterator[Part]:
    """Yield the parts of a body in their order.

    Args:
        body: The whole body. The caller bounds its size.
        boundary: 1 to 70 ASCII characters.
        max_parts: The most parts.

    Raises:
        MalformedForm: The body has no such boundary, no end, a part without a name, too many or too long headers, or
            more than `max_parts` parts. Parts before the fault are yielded first.
    """
    mark = b"--" + boundary.encode()
    opening = _delimiter(body, mark, 0) if body.startswith(mark) else _next_delimiter(body, mark, 0)
    if opening is None:
        raise MalformedForm(_without_delimiter(body, boundary))
    for _ in range(max_parts + 1):
        if opening.is_last:
            return
        headers, begin = _headers_at(body, opening.end)
        # A part may end with its headers: then the line end before them is the delimiter's (RFC 2046, "body-part").
        closing = _next_delimiter(body, mark, begin - 2)
        if closing is None:
            raise MalformedForm(f"has no end: its last line must be --{boundary}--")
        name, is_file = _disposition(headers)
        yield Part(name, is_file, body[begin : closing.start])
        opening = closing
    raise MalformedForm(f"has more than {max_parts} parts")


def _next_delimiter(body: bytes, mark: bytes, at: int) -> _Delimiter | None:
    found = body.find(b"\r\n" + mark, at)
    return None if found < 0 else replace(_delimiter(body, mark, found + 2), start=found)


def _delimiter(body: bytes, mark: bytes, at: int) -> _Delimiter:
    tail = _DELIMITER_TAIL.match(body, at + len(mark))
    if tail is None and body.startswith(b"\n", at + len(mark)):
        raise MalformedForm("has lines that end in LF alone; those of a form end in CRLF")
    if tail is None:
        # Some readers take such a line for a delimiter (RFC 2046, section 5.1.1), others for content.
        raise MalformedForm("has a line that begins with the boundary and goes on; choose another boundary")
    return _Delimiter(at, tail.end(), is_last=tail[1] is not None)


def _without_delimiter(body: bytes, boundary: str) -> str:
    if not body:
        return "is empty; a form has at least one part"
    return f"has no line --{boundary}, the boundary that the Content-Type header names"


def _headers_at(body: bytes, at: int) -> tuple[dict[str, list[str]], int]:
    """Return a part's headers by name in lower case, and where its content begins."""
    end = at - 2 if body.startswith(b"\r\n", at) else body.find(b"\r\n\r\n", at, at + MAX_HEADER_BYTES)
    if end < 0:
        raise MalformedForm(f"has a part whose headers do not end within {MAX_HEADER_BYTES} bytes")
    # Latin-1 decodes every byte. Names of parts are decoded as UTF-8 later.
    lines = _FOLD.sub(" ", body[at : max(at, end)].decode("latin-1")).split("\r\n")
    if len(lines) > MAX_HEADER_LINES:
        raise MalformedForm(f"has a part of more than {MAX_HEADER_LINES} headers")
    headers: dict[str, list[str]] = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None or "\r" in line or "\n" in line or "\0" in line:
            if line:
                raise MalformedForm(
                    "has a part with a line that is no header; write Name: value, and CRLF behind it"
                )
            continue
        headers.setdefault(header[1].lower(), []).append(header[2])
    return headers, end + 4


def _disposition(headers: Mapping[str, list[str]]) -> tuple[str, bool]:
    """Return the name of a part, and whether it is a file."""
    given = headers.get("content-disposition", [])
    if len(given) != 1:
        raise MalformedForm("has a part that has not exactly one Content-Disposition header")
    encodings = {value.strip(" \t").lower() for value in headers.get("content-transfer-encoding", [])}
    if not encodings <= _PLAIN_ENCODINGS:
        raise MalformedForm(
            "has a part with a Content-Transfer-Encoding; send its bytes as they are (binary)"
        )
    kind, parameters, rest = parse_parameters(given[0])
    is_file = "filename" in parameters or "filename*" in parameters
    if kind != "form-data" or "name" not in parameters:
        raise MalformedForm('has a part without Content-Disposition: form-data; name="…"')
    # Readers of RFC 2231 take the name from there.
    if any(key.partition("*")[0] == "name" and key != "name" for key in parameters):
        raise MalformedForm('has a part that is named by name*; write its name as name="…"')
    # Some writers do not escape a quote in a file's name. The file's name is a hint and does not matter, unless a
    # reader could find another name of the part in it.
    if rest and (not is_file or _OTHER_NAME.search(rest)):
        raise MalformedForm(
            "has a part whose Content-Disposition cannot be read; write a quote in a value as %22"
        )
    return parameters["name"].encode("latin-1").decode("utf-8", "replace"), is_file


def _unquoted(given: str) -> str:
    if given.startswith('"'):
        return _QUOTED_PAIR.sub(r"\1", given[1:-1])
    return given.rstrip(" \t")
