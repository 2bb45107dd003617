"""Forms as clients write them, and as RFC 2046 and RFC 7578 let them: one table for each."""

from email import policy
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.http.multipart import MAX_PARTS, MalformedForm, Part, parse_parameters, parts_of

ARCHIVE = b"\x1f\x8bDATA\r\n--x"


def read(body: bytes, boundary: str = "b") -> list[Part]:
    return list(parts_of(body, boundary))


def form(*parts: bytes) -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


# Written by each of these against a socket that kept what it got; boundaries shortened where they are in the type.
CLIENTS = {
    "curl 7.88.1": (
        b"multipart/form-data; boundary=------------------------9c67b791bde339c5",
        (
            b"--------------------------9c67b791bde339c5\r\n"
            b'Content-Disposition: form-data; name="archive"; filename="pack.tgz"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\n\x1f\x8bDATA\r\n--x\r\n"
            b"--------------------------9c67b791bde339c5\r\n"
            b'Content-Disposition: form-data; name="visibility"\r\n\r\norg\r\n'
            b"--------------------------9c67b791bde339c5--\r\n"
        ),
    ),
    # SenseNet/sensenet issue 2048 has the same from a browser.
    "curl with a file name in Latin-1": (
        b"multipart/form-data; boundary=b",
        (
            b'--b\r\nContent-Disposition: form-data; name="archive"; filename="caf\xe9.tgz"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\n\x1f\x8bDATA\r\n--x\r\n--b--\r\n"
        ),
    ),
    "curl with a quote in the file name and a header of its own": (
        b"multipart/form-data; boundary=b",
        (
            b'--b\r\nContent-Disposition: form-data; name="archive"; filename="a%22b;c.tgz"\r\n'
            b"Content-Type: application/octet-stream\r\nX-Long: a\r\n\r\n\x1f\x8bDATA\r\n--x\r\n--b--\r\n"
        ),
    ),
    "requests 2.32.5": (
        b"multipart/form-data; boundary=b",
        (
            b'--b\r\nContent-Disposition: form-data; name="visibility"\r\n\r\norg\r\n'
            b'--b\r\nContent-Disposition: form-data; name="archive"; filename="caf\xc3\xa9.tgz"\r\n\r\n'
            b"\x1f\x8bDATA\r\n--x\r\n--b--\r\n"
        ),
    ),
    "aiohttp 3.13.2": (
        b"multipart/form-data; boundary=b",
        (
            b"--b\r\nContent-Type: application/octet-stream\r\n"
            b'Content-Disposition: form-data; name="archive"; filename="caf%C3%A9%20x.tgz"\r\n\r\n'
            b"\x1f\x8bDATA\r\n--x\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n"
            b'Content-Disposition: form-data; name="visibility"\r\n\r\norg\r\n--b--\r\n'
        ),
    ),
    "undici in Node 20": (
        b"multipart/form-data; boundary=----formdata-undici-082304835436",
        (
            b'------formdata-undici-082304835436\r\nContent-Disposition: form-data; name="archive"; '
            b'filename="caf\xc3\xa9 %22x%22%0A.tgz"\r\nContent-Type: application/octet-stream\r\n\r\n'
            b"\x1f\x8bDATA\r\n--x\r\n------formdata-undici-082304835436--\r\n"
        ),
    ),
    # The package does not escape quotes in the names of files.
    "form-data 4.0.4 of npm": (
        b"multipart/form-data; boundary=b",
        (
            b'--b\r\nContent-Disposition: form-data; name="archive"; filename="caf\xc3\xa9 "x".tgz"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\n\x1f\x8bDATA\r\n--x\r\n--b\r\n"
            b'Content-Disposition: form-data; name="visibility"\r\n\r\norg\r\n--b--\r\n'
        ),
    ),
    "email.mime of Python, which folds": (
        b'multipart/form-data; boundary="===============7258667539914474921=="',
        (
            b"--===============7258667539914474921==\r\nContent-Type: application/gzip\r\nMIME-Version: 1.0\r\n"
            b"Content-Disposition: form-data; name=\"archive\";\r\n filename*=utf-8''caf%C3%A9%20x.tgz\r\n\r\n"
            b"\x1f\x8bDATA\r\n--x\r\n--===============7258667539914474921==--\r\n"
        ),
    ),
    # dotnet/aspnetcore issue 21282 has a folded header; bare values are what MultipartFormDataContent documents.
    ".NET's HttpClient": (
        b'multipart/form-data; boundary="1b0c6a3e-7f3a-4c4e-9d2a-5b8c0d2f9a11"',
        (
            b"--1b0c6a3e-7f3a-4c4e-9d2a-5b8c0d2f9a11\r\nContent-Type: application/gzip\r\n"
            b"Content-Disposition: form-data; name=archive; filename=pack.tgz; filename*=utf-8''pack.tgz\r\n\r\n"
            b"\x1f\x8bDATA\r\n--x\r\n--1b0c6a3e-7f3a-4c4e-9d2a-5b8c0d2f9a11--\r\n"
        ),
    ),
    "Apache HttpClient and OkHttp, with lengths and encodings": (
        b"multipart/form-data; boundary=b; charset=UTF-8",
        (
            b'--b\r\nContent-Disposition: form-data; name="archive"; filename="pack.tgz"\r\n'
            b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n"
            b"Content-Length: 11\r\n\r\n\x1f\x8bDATA\r\n--x\r\n--b--\r\n"
        ),
    ),
}


@pytest.mark.parametrize(("content_type", "body"), CLIENTS.values(), ids=CLIENTS)
def test_what_clients_write_is_read(content_type: bytes, body: bytes) -> None:
    kind, parameters, rest = parse_parameters(content_type.decode("latin-1"))

    parts = {part.name: part for part in parts_of(body, parameters["boundary"])}

    assert (kind, rest) == ("multipart/form-data", "")
    assert parts.pop("archive") == Part("archive", is_file=True, content=ARCHIVE)
    assert set(parts) <= {"visibility"}
    assert all(part == Part("visibility", is_file=False, content=b"org") for part in parts.values())


DISPOSITION = b'Content-Disposition: form-data; name="a"\r\n\r\nx'
LEGAL = {
    "a preamble and an epilogue": b"This is a form.\r\n" + form(DISPOSITION) + b"That was it.",
    "white space behind boundaries": b"--b \t\r\n" + DISPOSITION + b"\r\n--b-- \r\n",
    "no line end at the end": form(DISPOSITION)[:-2],
    "a last line that ends in LF": form(DISPOSITION)[:-2] + b"\n",
    "a folded header": form(b'Content-Disposition: form-data;\r\n name="a"\r\n\r\nx'),
    "a header folded with tabs": form(b'Content-Disposition:\r\n\tform-data\r\n \t;\r\n\tname\r\n =\r\n "a"\r\n\r\nx'),
    "names of headers in lower case": form(b'content-disposition: form-data; name="a"\r\n\r\nx'),
    "everything in upper case": form(b'CONTENT-DISPOSITION: FORM-DATA; NAME="a"\r\n\r\nx'),
    "a bare value": form(b"Content-Disposition: form-data; name=a\r\n\r\nx"),
    "no blanks": form(b"Content-Disposition:form-data;name=a\r\n\r\nx"),
    "a semicolon at the end": form(b'Content-Disposition: form-data; name="a";\r\n\r\nx'),
    "a quoted pair": form(b'Content-Disposition: form-data; name="\\a"\r\n\r\nx'),
    "other headers": form(b"X.Trace: 1\r\nContent-Length: 99\r\nMIME-Version: 1.0\r\n" + DISPOSITION),
    "an empty header": form(b"X-Empty:\r\n" + DISPOSITION),
    "an encoding that changes nothing": form(b"Content-Transfer-Encoding: 8BIT\r\n" + DISPOSITION),
}  # fmt: skip


@pytest.mark.parametrize("body", LEGAL.values(), ids=LEGAL)
def test_every_legal_form_of_a_form_is_read(body: bytes) -> None:
    assert read(body) == [Part("a", is_file=False, content=b"x")]


@pytest.mark.parametrize(
    "name",
    [
        b"filename=x.tgz",
        b'filename="x\\"y.tgz"',
        b'filename="C:\\dir\\x.tgz"',
        b"filename*=UTF-8''caf%C3%A9.tgz",
        b"filename*=UTF-8''%zz; filename=x",
        b'filename=""',
        b'filename="\xff\xfe\x00"'.replace(b"\x00", b""),
        b'filename="x.tgz"y"; size=3',
        b'filename="x\\"',
        b"filename=a b c",
    ],
)
def test_the_name_of_a_file_is_a_hint_and_may_be_anything(name: bytes) -> None:
    body = form(b"Content-Disposition: form-data; name=a; " + name + b"\r\n\r\nx")

    assert read(body) == [Part("a", is_file=True, content=b"x")]


def test_a_part_may_end_with_its_headers() -> None:
    assert read(b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n--b--') == [
        Part("a", is_file=False, content=b"")
    ]


def test_a_form_may_have_no_part() -> None:
    assert read(b"--b--\r\n") == []


def test_a_name_beyond_ascii_is_utf_8() -> None:
    assert read(form('Content-Disposition: form-data; name="é"\r\n\r\nx'.encode()))[0].name == "é"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "is empty"),
        (b"hello", "has no line --b, the boundary that the Content-Type header names"),
        (b"hello--b\r\n" + DISPOSITION, "has no line --b"),
        (b'--b\nContent-Disposition: form-data; name="a"\n\nx\n--b--\n', "end in LF alone"),
        (b"--b\r\n" + DISPOSITION, "its last line must be --b--"),
        (b"--b\r\n" + DISPOSITION + b"\r\n--b", "goes on"),
        (b"--bc\r\n" + DISPOSITION + b"\r\n--bc--", "a line that begins with the boundary and goes on"),
        (form(b"x" * 9000), "do not end within 8192 bytes"),
        (form(b"A: b\r\n" * 40 + b"\r\nx"), "more than 32 headers"),
        (form(b"name\r\n\r\nx"), "a line that is no header"),
        (form(b"A: b\nC: d\r\n" + DISPOSITION), "a line that is no header"),
        (form(b"Na me: b\r\n" + DISPOSITION), "a line that is no header"),
        (form(b"A: \0\r\n" + DISPOSITION), "a line that is no header"),
        (form(b"\r\nx"), "not exactly one Content-Disposition"),
        (form(DISPOSITION[:-5] + b"\r\n" + DISPOSITION), "not exactly one Content-Disposition"),
        (form(b'Content-Disposition: attachment; name="a"\r\n\r\nx'), "without Content-Disposition: form-data"),
        (form(b"Content-Disposition: form-data\r\n\r\nx"), "without Content-Disposition: form-data"),
        (form(b"Content-Disposition: form-data; name*=UTF-8''a\r\n\r\nx"), "without Content-Disposition"),
        (form(b"Content-Disposition: form-data; name=a; name=b\r\n\r\nx"), "gives name more than once"),
        (form(b"Content-Disposition: form-data; name=a; NAME=b\r\n\r\nx"), "gives name more than once"),
        # Readers of RFC 2231 take these names, others the plain one.
        (form(b"Content-Disposition: form-data; name=a; name*=UTF-8''b\r\n\r\nx"), "is named by name*"),
        (form(b'Content-Disposition: form-data; name=a; name*0="b"\r\n\r\nx'), "is named by name*"),
        (form(b'Content-Disposition: form-data; name="a\r\n\r\nx'), "cannot be read"),
        (form(b'Content-Disposition: form-data; name="a"b"\r\n\r\nx'), "cannot be read"),
        (
            form(b'Content-Disposition: form-data; name=a; filename="b"; c"; name="d"\r\n\r\nx'),
            "cannot be read",
        ),
        (form(b'Content-Disposition: form-data; name=a; filename="b"c; name="d"\r\n\r\nx'), "cannot be read"),
        (form(b'Content-Disposition: form-data; name=a; filename="b"c";NAME = d\r\n\r\nx'), "cannot be read"),
        # curl -F 'archive=@x;encoder=base64'; some readers decode it, most do not.
        (form(b"Content-Transfer-Encoding: base64\r\n" + DISPOSITION), "send its bytes as they are"),
        (form(*[DISPOSITION] * (MAX_PARTS + 1)), "more than 8 parts"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_in_one_way_is_refused_with_what_helps(body: bytes, reason: str) -> None:
    with pytest.raises(MalformedForm) as refusal:
        read(body)

    assert reason in str(refusal.value)


texts = st.text(st.characters(codec="utf-8", exclude_characters='"\\\r\n\0'), min_size=1, max_size=20)
folds = st.sampled_from([" ", "", "\r\n ", "\r\n\t", "\t"])


@given(
    parts=st.lists(
        st.tuples(texts, st.none() | texts, st.binary(max_size=40), folds), min_size=1, max_size=8
    ),
    padding=st.sampled_from([b"", b" ", b"\t "]),
    preamble=st.sampled_from([b"", b"A form.\r\n", b"\r\n"]),
)
def test_whatever_is_written_legally_is_read_as_the_standard_library_reads_mail(
    parts: list[tuple[str, str | None, bytes, str]], padding: bytes, preamble: bytes
) -> None:
    boundary = b"frontier"
    if any(boundary in content for _, _, content, _ in parts):
        return
    body = preamble
    for name, file_name, content, fold in parts:
        file = f';{fold}filename="{file_name}"' if file_name is not None else ""
        head = f'Content-Disposition: form-data;{fold}name="{name}"{file}\r\n\r\n'
        body += b"--frontier" + padding + b"\r\n" + head.encode() + content + b"\r\n"
    body += b"--frontier--" + padding

    found = read(body, "frontier")

    assert [(part.name, part.is_file, part.content) for part in found] == [
        (name, file_name is not None, content) for name, file_name, content, _ in parts
    ]
    mail = BytesParser(policy=policy.HTTP).parsebytes(
        b"Content-Type: multipart/form-data; boundary=frontier\r\n\r\n" + body
    )
    assert len(mail.get_payload()) == len(found)


@given(st.binary(max_size=300) | st.text('-b\r\n :;="\\nameform-dtContDispi x', max_size=200).map(str.encode))
def test_any_bytes_are_parts_of_themselves_or_refused(body: bytes) -> None:
    try:
        parts = read(body)
    except MalformedForm:
        return
    assert all(part.content in body for part in parts)
