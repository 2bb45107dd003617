import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.messaging.cleanup_queue import OrphanImage, PackDeletion, StagedArchive, parse_message
from packyard.oci.digest import digest_of
from packyard.packs.manifest.name import PackName

DUE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ORG = "org_01hzzzzzzzzzzzzzzzzzzzzzz0"
DIGEST = digest_of(b"index")
IMAGE = {
    "kind": "orphan_image",
    "repository": f"packs/{ORG}/slack",
    "digests": [DIGEST, digest_of(b"amd64")],
    "org_id": ORG,
    "name": "slack",
    "due_at": "2026-01-02T03:04:05.000Z",
}
ARCHIVE = {
    "kind": "staged_archive",
    "key": "inline/01HZZZZZZZZZZZZZZZZZZZZZZZ.tar.gz",
    "due_at": "2026-01-02T03:04:05.000Z",
}
DELETION = {
    "kind": "pack_deletion",
    "pack_id": "pack_01HZZZZZZZZZZZZZZZZZZZZZZZ",
    "due_at": "2026-01-02T03:04:05.000Z",
}


def test_an_orphan_image_is_read() -> None:
    assert parse_message(json.dumps(IMAGE)) == OrphanImage(
        repository=f"packs/{ORG}/slack",
        digests=(DIGEST, digest_of(b"amd64")),
        org_id=ORG,
        name=PackName("slack"),
        due_at=DUE,
    )


def test_a_staged_archive_is_read() -> None:
    assert parse_message(json.dumps(ARCHIVE)) == StagedArchive(
        key="inline/01HZZZZZZZZZZZZZZZZZZZZZZZ.tar.gz", due_at=DUE
    )


def test_a_pack_deletion_is_read() -> None:
    assert parse_message(json.dumps(DELETION)) == PackDeletion(
        pack_id="pack_01HZZZZZZZZZZZZZZZZZZZZZZZ", due_at=DUE
    )


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        pytest.param({}, "no known kind", id="no_kind"),
        pytest.param({**ARCHIVE, "kind": "everything"}, "no known kind", id="unknown_kind"),
        pytest.param({**ARCHIVE, "kind": ["staged_archive"]}, "no known kind", id="kind_is_a_list"),
        pytest.param({**ARCHIVE, "extra": 1}, "exactly these fields", id="field_added"),
        pytest.param({"kind": "staged_archive"}, "exactly these fields", id="fields_missing"),
        pytest.param({**ARCHIVE, "key": "inline/../other"}, "key", id="key_elsewhere"),
        pytest.param({**ARCHIVE, "key": ARCHIVE["key"] + "\n"}, "key", id="key_with_newline"),
        pytest.param({**ARCHIVE, "key": None}, "key: must be a string", id="key_is_null"),
        pytest.param({**ARCHIVE, "due_at": "soon"}, "soon", id="due_at_is_no_time"),
        pytest.param({**ARCHIVE, "due_at": "2026-01-02T03:04:05"}, "zone", id="due_at_without_zone"),
        pytest.param({**ARCHIVE, "due_at": 1767323045}, "due_at: must be a string", id="due_at_is_a_number"),
        pytest.param({**IMAGE, "digests": []}, "digests", id="no_digest"),
        pytest.param({**IMAGE, "digests": [DIGEST] * 33}, "digests", id="too_many_digests"),
        pytest.param({**IMAGE, "digests": DIGEST}, "digests", id="digests_is_a_string"),
        pytest.param({**IMAGE, "digests": [1]}, "digests", id="digest_is_a_number"),
        pytest.param({**IMAGE, "digests": ["latest"]}, "sha256", id="digest_is_a_tag"),
        pytest.param({**IMAGE, "org_id": "org_1"}, "ULID", id="org_id_is_none"),
        pytest.param({**IMAGE, "name": "Slack"}, "lower-case", id="name_is_no_slug"),
        pytest.param({**IMAGE, "name": "jira"}, "repository", id="repository_of_another_name"),
        pytest.param({**IMAGE, "org_id": ORG[:-1] + "1"}, "repository", id="repository_of_another_org"),
        pytest.param(
            {**IMAGE, "repository": f"A/{ORG}/slack"}, "repository", id="repository_is_no_repository"
        ),
        pytest.param(
            {**IMAGE, "repository": "a" * 256 + f"/{ORG}/slack"}, "repository", id="long_repository"
        ),
        pytest.param({**DELETION, "pack_id": "pack_1"}, "pack_id", id="pack_id_is_none"),
        pytest.param(
            {**DELETION, "pack_id": DELETION["pack_id"] + "\n"}, "pack_id", id="pack_id_with_newline"
        ),
        pytest.param({**DELETION, "pack_id": 7}, "pack_id: must be a string", id="pack_id_is_a_number"),
        pytest.param({**DELETION, "org_id": ORG}, "exactly these fields", id="org_of_a_deletion"),
        pytest.param([], "JSON object", id="a_list"),
        pytest.param("slack", "JSON object", id="a_string"),
    ],
)
def test_a_message_that_is_not_ours_is_refused(message: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_message(json.dumps(message))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="cut_off"),
        pytest.param("[" * 4096, id="deeply_nested"),
        pytest.param(json.dumps(ARCHIVE) + " " * 4096, id="too_long"),
    ],
)
def test_a_body_that_is_not_json_or_too_long_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_message(body)


@given(st.text(max_size=200) | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_no_text_does_more_than_be_refused(body: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_message(body)
