"""POST /packs/{id}/changes on the deployed template, inline and staged."""

from typing import Any

import pytest
from local.stack import StackDescription
from tests.changes import archive_of
from tests.e2e.client import UNKNOWN, Client, Reply, assert_refused, without_states
from tests.service import PackArchive


def change(
    client: Client, pack_id: str, files: dict[str, bytes] | None, *delete: str, **headers: str
) -> Reply:
    form: list[tuple[str, Any]] = [("delete", path) for path in delete]
    if files is not None:
        form.append(("archive", ("changes.tar.gz", archive_of(files), "application/gzip")))
    return client.call("POST", f"/packs/{pack_id}/changes", fields=form, headers=headers)


@pytest.fixture(scope="module")
def pack(acme: Client) -> dict[str, Any]:
    files = {"guides/a.md": b"# A\n", "guides/b.md": b"# B\n", "data/old/c.csv": b"c\n"}
    body: dict[str, Any] = acme.upload(PackArchive(name="changing", files=files).build()).body
    return body


def test_files_are_written_and_deleted_in_one_revision(acme: Client, pack: dict[str, Any]) -> None:
    changed = change(
        acme, pack["id"], {"guides/a.md": b"# New\n", "LICENSE": b"MIT\n"}, "guides/b.md", "data/"
    )
    again = change(acme, pack["id"], {"guides/a.md": b"# New\n"})

    assert (changed.status, changed.headers["ETag"]) == (200, '"2"'), changed.body
    assert (again.status, without_states(again.body)) == (200, without_states(changed.body))
    listed = acme.call("GET", f"/packs/{pack['id']}/files").body["files"]
    assert {file["path"] for file in listed} == {"pack.yaml", "guides/a.md", "LICENSE"}


def test_what_is_wrong_with_the_request_is_named(
    stack: StackDescription, acme: Client, pack: dict[str, Any]
) -> None:
    absent = change(acme, pack["id"], None, "guides/none.md")
    stale = change(acme, pack["id"], {"LICENSE": b""}, **{"If-Match": '"99"'})
    no_form = acme.call("POST", f"/packs/{pack['id']}/changes", json={})

    assert assert_refused(absent, 400, "validation_error")["fields"].keys() == {"delete:guides/none.md"}
    assert_refused(stale, 412, "precondition_failed")
    assert_refused(no_form, 415, "unsupported_media_type")
    assert_refused(change(acme, UNKNOWN, None, "a"), 404, "pack_not_found")
    assert_refused(change(Client.of(stack, "lapsed"), pack["id"], None, "a"), 423, "billing_inactive")
