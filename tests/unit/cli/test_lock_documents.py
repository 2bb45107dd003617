"""Lock documents from a file: whatever is in it, the answer is one sentence and an exit code of its kind."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import pytest

from packyard_cli.failure import Failure
from packyard_cli.lock_document import read_lock
from packyard_cli.windows_names import same_without_case

_SHA256: Final = "sha256:" + "0" * 64
_PACK: Final[dict[str, Any]] = {
    "id": "pack_01",
    "name": "slack",
    "version": "1.0.0",
    "revision": 1,
    "image_digest": _SHA256,
    "layers": [{"digest": _SHA256, "size": 1, "media_type": "t"}],
    "files": [],
}
_LOCK: Final[dict[str, Any]] = {
    "lock_version": 1,
    "role_id": "support",
    "revision": 1,
    "packs": [_PACK],
    "set_digest": "sha256:" + hashlib.sha256(f"pack_01\0{_SHA256}\n".encode()).hexdigest(),
}


def test_the_lock_of_these_tests_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "packyard.lock"
    file.write_text(json.dumps(_LOCK))

    assert read_lock(file).role_id == "support"


@pytest.mark.parametrize(
    ("content", "exit_code", "said"),
    [
        ("", 16, "is no lock document"),
        ("[" * 20_000, 16, "is no lock document"),
        ("[]", 16, "not of the kind"),
        ("null", 16, "not of the kind"),
        ('"text"', 16, "not of the kind"),
        ('{"lock_version": 1}', 16, "lacks 'role_id'"),
        (json.dumps({**_LOCK, "revision": float("inf")}), 16, "not of the kind"),
        (json.dumps({**_LOCK, "revision": "one"}), 16, "not of the kind"),
        (json.dumps({**_LOCK, "packs": {"slack": 1}}), 16, "not of the kind"),
        (json.dumps({**_LOCK, "packs": [{**_PACK, "version": "\ud800"}]}), 16, "not of the kind"),
        (json.dumps({**_LOCK, "packs": [{**_PACK, "id": "\ud800"}]}), 16, "not of the kind"),
        (json.dumps({**_LOCK, "packs": [{**_PACK, "alias": "packyard.lock"}]}), 12, "no name of a folder"),
        (json.dumps({**_LOCK, "packs": [{**_PACK, "alias": "Packyard.LOCK"}]}), 12, "no name of a folder"),
    ],
)
def test_what_is_no_lock_is_refused_in_one_sentence(
    tmp_path: Path, content: str, exit_code: int, said: str
) -> None:
    file = tmp_path / "packyard.lock"
    file.write_text(content)

    with pytest.raises(Failure, match=said) as refused:
        read_lock(file)

    assert refused.value.exit_code == exit_code
    assert "Error" not in refused.value.message


@pytest.mark.parametrize(
    ("paths", "same"),
    [
        (["slack/a", "slack/b"], None),
        (["slack/a", "slack/A"], ("slack/A", "slack/a")),
        (["Slack/a", "slack/b"], ("Slack", "slack")),
        (["slack/Data", "slack/data/a"], ("slack/Data", "slack/data")),
    ],
)
def test_names_that_are_one_without_case_are_found_in_folders_too(
    paths: list[str], same: tuple[str, str] | None
) -> None:
    assert same_without_case(paths) == same
