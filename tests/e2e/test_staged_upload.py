"""A staged upload, as a client with nothing but HTTP goes about it: the form, the object, S3's news, the build."""

import os
import time
from dataclasses import dataclass
from typing import Any

import pytest
import urllib3
from local.stack import StackDescription
from tests.e2e.client import UNKNOWN, Client, Reply, assert_refused
from tests.service import PackArchive

TIMEOUT_SECONDS = 60
UNKNOWN_UPLOAD = "upl_01KB0000000000000000000000"


@dataclass(frozen=True)
class Posted:
    """What S3 answered to a form."""

    status: int
    body: str


def start(client: Client, **fields: Any) -> Reply:
    return client.call("POST", "/packs/uploads", json=fields)


def post(form: dict[str, Any], archive: bytes, **other_fields: str) -> Posted:
    """Send the form as any browser or curl does: its fields, then the file, and no credential."""
    fields = {**form["fields"], **other_fields, "file": ("pack.tar.gz", archive, "application/gzip")}
    answer = urllib3.PoolManager(retries=False, timeout=60).request("POST", form["url"], fields=fields)
    return Posted(answer.status, answer.data.decode())


def end_of(client: Client, upload_id: str) -> dict[str, Any]:
    """Ask until the upload has come to an end."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        upload: dict[str, Any] = client.call("GET", f"/packs/uploads/{upload_id}").body
        if upload["status"] not in ("awaiting_archive", "building"):
            return upload
        time.sleep(0.5)
    raise AssertionError(f"{upload_id} has not come to an end: {upload}")


def test_an_archive_too_large_for_one_request_becomes_a_pack(acme: Client) -> None:
    archive = PackArchive(name="large", files={"data/noise.bin": os.urandom(8 << 20)}).build()
    assert acme.upload(archive).code == "payload_too_large"

    started = start(acme, size_bytes=len(archive))
    assert started.status == 201
    assert post(started.body, archive).status == 204

    done = end_of(acme, started.body["upload_id"])
    assert done["status"] == "done", done
    pack = acme.call("GET", f"/packs/{done['pack_id']}").body
    assert (pack["name"], pack["visibility"]) == ("large", "org")
    assert pack["size_bytes"] > 8 << 20
    removed = acme.call("DELETE", f"/packs/{pack['id']}")
    assert removed.status == 200


def test_an_archive_can_replace_what_a_pack_holds(acme: Client) -> None:
    pack = acme.upload(PackArchive(name="staged-twice").build()).body
    started = start(acme, pack_id=pack["id"]).body

    post(started, PackArchive(name="staged-twice", version="2.0.0").build())

    assert end_of(acme, started["upload_id"])["pack_id"] == pack["id"]
    assert acme.call("GET", f"/packs/{pack['id']}").body["version"] == "2.0.0"


def test_a_hostile_archive_is_refused_in_the_words_of_the_inline_way(acme: Client) -> None:
    archive = PackArchive(version="one", files={"../x": b"", "bin/y": b""}).build()
    inline = acme.upload(archive).body["error"]
    started = start(acme).body

    post(started, archive)

    failed = end_of(acme, started["upload_id"])
    assert failed["status"] == "failed"
    assert failed["error"] == inline | {"request_id": started["upload_id"]}


FORM_FILE = ("file", ("pack.tar.gz", PackArchive(name="form").build(), "application/gzip"))


def send(url: str, fields: list[tuple[str, Any]]) -> Posted:
    answer = urllib3.PoolManager(retries=False, timeout=60).request("POST", url, fields=fields)
    return Posted(answer.status, answer.data.decode())


@dataclass(frozen=True)
class Sending:
    """How a client sends the form: what it changes, adds or leaves out, and what S3 answers by its documentation.

    The emulator is held to the same: ministack evaluates every condition of a policy, as S3 does and minio did not
    (minio issues 6559, 8498 and 17391).
    """

    status: int
    fields: tuple[tuple[str, str], ...] = ()
    without: frozenset[str] = frozenset()


SENDINGS = {
    "as it is": Sending(204),
    "with another Content-Type in place of the form's, as helpers of browsers do": Sending(
        204, (("Content-Type", "application/x-gzip"),), frozenset({"Content-Type"})
    ),
    "with an empty Content-Type, as browsers do for files of unknown types": Sending(
        204, (("Content-Type", ""),), frozenset({"Content-Type"})
    ),
    "with another Content-Type beside the form's": Sending(204, (("Content-Type", "application/x-tar"),)),
    "with a field to be ignored": Sending(204, (("x-ignore-note", "anything"),)),
    "with names of fields in another case": Sending(
        204, (("content-type", "application/gzip"),), frozenset({"Content-Type"})
    ),
    # s3_direct_upload issues 29 and 107: a field that a condition names has to be there, even for an empty prefix.
    "without its Content-Type": Sending(403, (), frozenset({"Content-Type"})),
    "with a field that no condition names": Sending(403, (("x-amz-meta-note", "anything"),)),
    "with an ACL": Sending(403, (("acl", "public-read"),)),
}


@pytest.mark.parametrize("sending", SENDINGS.values(), ids=SENDINGS)
def test_the_form_is_taken_however_a_client_sends_it_and_nothing_beside_it(
    acme: Client, sending: Sending
) -> None:
    started = start(acme).body
    fields = [pair for pair in started["fields"].items() if pair[0] not in sending.without]

    answer = send(started["url"], [*fields, *sending.fields, FORM_FILE])

    assert answer.status == sending.status, answer.body


def test_only_the_emulator_takes_a_form_whose_file_comes_first(acme: Client) -> None:
    """S3 reads no field behind the file, misses `key`, and answers 400 InvalidArgument.

    S3 user guide, "HTML form fields"; jQuery-File-Upload PR 43, uppy issue 4449. ministack reads them in any order.
    """
    started = start(acme).body

    answer = send(started["url"], [FORM_FILE, *started["fields"].items()])

    assert answer.status == 204, "the emulator has learnt it: say so in decision 38, and expect 400 here"


def test_the_form_takes_no_more_than_its_limit_and_no_other_key(acme: Client) -> None:
    started = start(acme).body

    assert post(started, b"").status == 400
    assert post(started, b"x", key="uploads/other.tar.gz").status == 403
    waiting = acme.call("GET", f"/packs/uploads/{started['upload_id']}").body
    assert waiting["status"] == "awaiting_archive"


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        pytest.param({"visibility": "public"}, 400, "validation_error", id="a wrong field"),
        pytest.param({"pack_id": UNKNOWN}, 404, "pack_not_found", id="no such pack"),
        pytest.param({"size_bytes": 268_435_457}, 413, "payload_too_large", id="too large"),
    ],
)
def test_a_start_that_cannot_succeed_is_refused(
    acme: Client, fields: dict[str, Any], status: int, code: str
) -> None:
    assert_refused(start(acme, **fields), status, code)


def test_a_missing_right_to_start_an_upload_is_reported(stack: StackDescription) -> None:
    assert_refused(start(Client.of(stack)), 401, "unauthenticated")
    assert_refused(start(Client.of(stack, "acme", "read_only")), 403, "permission_denied")
    assert_refused(start(Client.of(stack, "lapsed")), 423, "billing_inactive")


def test_an_upload_shows_to_its_own_organisation_only(stack: StackDescription, acme: Client) -> None:
    upload_id = start(acme).body["upload_id"]
    path = f"/packs/uploads/{upload_id}"

    assert_refused(Client.of(stack, "globex").call("GET", path), 404, "upload_not_found")
    assert_refused(acme.call("GET", f"/packs/uploads/{UNKNOWN_UPLOAD}"), 404, "upload_not_found")
    assert Client.of(stack, "acme", "read_only").call("GET", path).status == 200
