"""POST /packs/{id}/upload on the deployed template: one row for each status of the contract's table."""

from typing import Any

import pytest
from local.stack import StackDescription
from tests.e2e.client import UNKNOWN, Client, Reply, assert_refused, without_states
from tests.service import PackArchive

SECOND = PackArchive(name="again", version="2.0.0", files={"README.md": b"second"})


def reupload(client: Client, pack_id: str, archive: bytes, **headers: str) -> Reply:
    form = {"archive": ("pack.tar.gz", archive, "application/gzip")}
    return client.call("POST", f"/packs/{pack_id}/upload", fields=form, headers=headers)


@pytest.fixture(scope="module")
def pack(acme: Client) -> dict[str, Any]:
    body: dict[str, Any] = acme.upload(PackArchive(name="again").build()).body
    return body


def test_a_new_archive_replaces_the_content_and_keeps_the_id(acme: Client, pack: dict[str, Any]) -> None:
    first = reupload(acme, pack["id"], SECOND.build(), **{"If-Match": '"1"'})
    again = reupload(acme, pack["id"], SECOND.build())

    assert (first.status, first.body["id"], first.body["version"]) == (200, pack["id"], "2.0.0")
    assert (again.status, without_states(again.body)) == (200, without_states(first.body))
    assert (first.headers["ETag"], again.revision) == ('"2"', 2)


def test_an_older_revision_than_the_one_that_stands_is_412(acme: Client, pack: dict[str, Any]) -> None:
    archive = PackArchive(name="again", version="3.0.0").build()

    assert_refused(reupload(acme, pack["id"], archive, **{"If-Match": '"99"'}), 412, "precondition_failed")


def test_what_is_wrong_with_the_request_is_named(acme: Client, pack: dict[str, Any]) -> None:
    other_name = reupload(acme, pack["id"], PackArchive(name="other").build())
    no_form = acme.call("POST", f"/packs/{pack['id']}/upload", json={})
    too_large = reupload(acme, pack["id"], b"x" * 4_718_592)

    assert_refused(other_name, 400, "validation_error")
    assert other_name.body["error"]["details"]["fields"].keys() == {"pack.yaml:name"}
    assert_refused(no_form, 415, "unsupported_media_type")
    assert_refused(too_large, 413, "payload_too_large")


def test_a_caller_who_may_not_write_the_pack_learns_only_what_they_may_read(
    stack: StackDescription, acme: Client, pack: dict[str, Any]
) -> None:
    archive = SECOND.build()

    assert_refused(reupload(Client.of(stack), pack["id"], archive), 401, "unauthenticated")
    assert_refused(
        reupload(Client.of(stack, "acme", "read_only"), pack["id"], archive), 403, "permission_denied"
    )
    assert_refused(reupload(Client.of(stack, "lapsed"), pack["id"], archive), 423, "billing_inactive")
    assert_refused(reupload(Client.of(stack, "globex"), pack["id"], archive), 404, "pack_not_found")
    assert_refused(reupload(acme, UNKNOWN, archive), 404, "pack_not_found")
