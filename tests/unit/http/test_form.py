import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from tests.gateway import Request, multipart

from packyard.errors import InvalidRequest, PayloadTooLarge, UnsupportedMediaType
from packyard.http.form import read_form
from packyard.http.multipart import Part
from packyard.http.upload import PACK_FORM, read_upload
from packyard.packs.pack import Visibility


def posted(body: bytes, headers: dict[str, str]) -> APIGatewayProxyEvent:
    return APIGatewayProxyEvent(
        Request(method="POST", resource="/packs/upload", headers=headers, body=body).event()
    )


def test_each_part_is_found_by_its_name() -> None:
    body, headers = multipart({"archive": b"\x1f\x8b\r\n--x", "visibility": b"community"})

    assert read_form(posted(body, headers), PACK_FORM, max_bytes=1024) == {
        "archive": Part("archive", is_file=True, content=b"\x1f\x8b\r\n--x"),
        "visibility": Part("visibility", is_file=False, content=b"community"),
    }


@pytest.mark.parametrize(
    ("content_type", "cause"),
    [
        ("", "states no Content-Type"),
        ("application/json", "This is application/json."),
        ("application/json; charset=utf-8", "This is application/json."),
        ("application/gzip", "This is application/gzip."),
        ("application/octet-stream", "This is application/octet-stream."),
        ("application/x-www-form-urlencoded", "what curl's -d, --data-binary and --data-raw send"),
        ("multipart/mixed; boundary=x", "This is multipart/mixed."),
        ("multipart", "must be a form"),
        ("<script>/x", "must be a form"),
        ("a" * 5000 + "/b", "must be a form"),
    ],
)
def test_the_refusal_of_a_body_that_is_not_a_form_shows_the_command_that_sends_one(
    content_type: str, cause: str
) -> None:
    event = posted(b"{}", {"Content-Type": content_type} if content_type else {})

    with pytest.raises(UnsupportedMediaType) as refusal:
        read_form(event, PACK_FORM, max_bytes=1024)

    assert cause in refusal.value.message
    assert '-F archive=@my-pack.tar.gz "$URL"' in refusal.value.message
    assert "<script>" not in refusal.value.message
    assert len(refusal.value.message) < 400


def test_the_content_type_is_matched_without_regard_to_case() -> None:
    body, _ = multipart({"archive": b"x"})

    form = read_form(
        posted(body, {"content-type": "Multipart/Form-Data; Boundary=frontier"}),
        PACK_FORM,
        max_bytes=1024,
    )

    assert form["archive"].content == b"x"


@pytest.mark.parametrize("content_type", ["multipart/form-data", f"multipart/form-data; boundary={'b' * 71}"])
def test_a_form_without_a_usable_boundary_names_the_body(content_type: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read_form(posted(b"--x--\r\n", {"Content-Type": content_type}), PACK_FORM, max_bytes=1024)

    assert "boundary" in refusal.value.fields["body"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"--frontier\r\n", id="a boundary and no more"),
        pytest.param(b'--frontier\r\nContent-Disposition: form-data; name="archive"\r\n\r\nx', id="no end"),
        pytest.param(b"--other\r\n\r\n\r\n--other--\r\n", id="another boundary"),
        pytest.param(
            b"--frontier\r\nContent-Disposition: attachment\r\n\r\nx\r\n--frontier--\r\n", id="no form-data"
        ),
        pytest.param(
            b"--frontier\r\n" + b"A: b\r\n" * 100 + b"\r\n\r\n--frontier--\r\n", id="a flood of headers"
        ),
    ],
)
def test_a_malformed_form_is_refused_and_named(body: bytes) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read_form(posted(body, multipart({})[1]), PACK_FORM, max_bytes=10_000)

    assert refusal.value.fields


def test_a_flood_of_parts_is_refused() -> None:
    part = b'--frontier\r\nContent-Disposition: form-data; name="archive"\r\n\r\n\r\n'

    with pytest.raises(InvalidRequest):
        read_form(
            posted(part * 10_000 + b"--frontier--\r\n", multipart({})[1]),
            PACK_FORM,
            max_bytes=10_000_000,
        )


@pytest.mark.parametrize("charset", ["UTF-8", "utf-8", "utf8\r\n", "US-ASCII"])
@pytest.mark.parametrize("first", [True, False])
def test_a_part_that_says_that_the_form_is_utf_8_is_no_field(charset: str, first: bool) -> None:
    # RFC 7578, section 4.6; a hidden input of this name has browsers send it (HTML, "_charset_").
    parts = {"_charset_": charset.encode(), "visibility": b"org"}
    body, headers = multipart(parts if first else dict(reversed(parts.items())))

    form = read_form(posted(body, headers), PACK_FORM, max_bytes=1024)

    assert list(form) == ["visibility"]


@pytest.mark.parametrize("charset", [b"ISO-8859-1", b"windows-1252", b"", b"UTF-16", b"x" * 500, b"\xff"])
def test_one_that_says_another_encoding_is_refused_with_the_one_that_is_taken(charset: bytes) -> None:
    body, headers = multipart({"_charset_": charset, "visibility": b"org"})

    with pytest.raises(InvalidRequest) as refusal:
        read_form(posted(body, headers), PACK_FORM, max_bytes=1024)

    assert refusal.value.fields == {
        "_charset_": "must be UTF-8, as the texts of this form are; send it so, or leave it out"
    }


@pytest.mark.parametrize(
    ("disposition", "advice"),
    [
        ('name="_charset_"; filename="pack.tar.gz"', "did you mean archive?"),
        ('name="file"; filename="pack.tar.gz"', "did you mean archive?"),
        ('name="package"; filename="pack.tar.gz"', "did you mean archive?"),
        ('name="Archive"; filename="pack.tar.gz"', "did you mean archive?"),
        ('name="visiblity"', "did you mean visibility?"),
        ('name="note"', "known are archive, version, visibility"),
        ('name=""; filename="x"', "did you mean archive?"),
    ],
)
def test_a_part_of_a_wrong_name_is_refused_with_the_right_one(disposition: str, advice: str) -> None:
    part = f"--frontier\r\nContent-Disposition: form-data; {disposition}\r\n\r\nx\r\n--frontier--\r\n"

    with pytest.raises(InvalidRequest) as refusal:
        read_form(posted(part.encode(), multipart({})[1]), PACK_FORM, max_bytes=1024)

    assert advice in refusal.value.message


@pytest.mark.parametrize(
    ("disposition", "content", "advice"),
    [
        # What `curl -F archive=my-pack.tar.gz` sends.
        ('name="archive"', b"my-pack.tar.gz", "put @ before the path of the file"),
        ('name="archive"', b"", "put @ before the path of the file"),
        ('name="archive"; filename=""', b"", "is empty"),
        ('name="visibility"', b"org", "-F archive=@my-pack.tar.gz"),
    ],
)
def test_a_form_without_an_archive_is_answered_with_what_sends_one(
    disposition: str, content: bytes, advice: str
) -> None:
    head = f"--frontier\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()

    with pytest.raises(InvalidRequest) as refusal:
        read_upload(posted(head + content + b"\r\n--frontier--", multipart({})[1]), max_bytes=1024)

    assert advice in refusal.value.fields["archive"]


def test_an_archive_without_a_file_name_is_an_archive() -> None:
    """What `curl -F 'archive=<my-pack.tar.gz'` and axios' postForm of a Buffer send."""
    body = b'--frontier\r\nContent-Disposition: form-data; name="archive"\r\n\r\n\x1f\x8bx\r\n--frontier--'

    assert read_upload(posted(body, multipart({})[1]), max_bytes=1024).archive == b"\x1f\x8bx"


def test_an_unknown_part_is_refused_by_name() -> None:
    body, headers = multipart({"archive": b"x", "visiblity": b"org"})

    with pytest.raises(InvalidRequest) as refusal:
        read_form(posted(body, headers), PACK_FORM, max_bytes=1024)

    assert list(refusal.value.fields) == ["visiblity"]


def test_a_repeated_part_is_refused_by_name() -> None:
    one = b'--frontier\r\nContent-Disposition: form-data; name="visibility"\r\n\r\norg\r\n'

    with pytest.raises(InvalidRequest) as refusal:
        read_form(
            posted(one + one + b"--frontier--\r\n", multipart({})[1]),
            PACK_FORM,
            max_bytes=1024,
        )

    assert list(refusal.value.fields) == ["visibility"]


@pytest.mark.parametrize("excess", [1, 2, 3, 1000])
def test_a_body_over_the_limit_is_too_large_and_the_message_names_the_staged_way(excess: int) -> None:
    empty, headers = multipart({"archive": b""})
    body, _ = multipart({"archive": b"x" * (1024 - len(empty) + excess)})

    with pytest.raises(PayloadTooLarge, match=r"1024 bytes.*POST /packs/uploads"):
        read_form(posted(body, headers), PACK_FORM, max_bytes=1024)


def test_a_body_at_the_limit_passes() -> None:
    empty, headers = multipart({"archive": b""})
    body, _ = multipart({"archive": b"x" * (1024 - len(empty))})

    form = read_form(posted(body, headers), PACK_FORM, max_bytes=1024)
    assert len(form["archive"].content) == 1024 - len(empty)


def test_a_body_that_only_claims_to_be_base64_is_refused() -> None:
    event = APIGatewayProxyEvent({**posted(b"", multipart({})[1]).raw_event, "body": "not base64!"})

    with pytest.raises(InvalidRequest):
        read_form(event, PACK_FORM, max_bytes=1024)


def test_the_visibility_is_org_unless_given() -> None:
    body, headers = multipart({"archive": b"x"})

    assert read_upload(posted(body, headers), max_bytes=1024).visibility is Visibility.ORG


@pytest.mark.parametrize(
    ("parts", "fields"),
    [
        pytest.param({}, {"archive"}, id="no part at all"),
        pytest.param({"visibility": b"org"}, {"archive"}, id="no archive"),
        pytest.param({"archive": b""}, {"archive"}, id="an empty archive"),
        pytest.param(
            {"archive": b"", "visibility": b"org "}, {"archive", "visibility"}, id="a blank too much"
        ),
        pytest.param({"archive": b"x", "visibility": b"public"}, {"visibility"}, id="an unknown visibility"),
        pytest.param(
            {"archive": b"x", "visibility": b"\xff"}, {"visibility"}, id="a visibility that is not UTF-8"
        ),
        pytest.param({"visibility": b""}, {"archive", "visibility"}, id="both wrong"),
    ],
)
def test_every_fault_of_an_upload_is_named_at_once(parts: dict[str, bytes], fields: set[str]) -> None:
    body, headers = multipart(parts)

    with pytest.raises(InvalidRequest) as refusal:
        read_upload(posted(body, headers), max_bytes=1024)

    assert set(refusal.value.fields) == fields
