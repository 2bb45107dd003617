import errno
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from tests.command import Command, CutOff, pack_folder, received
from tests.role_contract import RoleContract
from tests.service import PackArchive, Service

from packyard_cli.lock_document import LOCK_FILE
from packyard_cli.pulled import PULL_FILE, RECORD_FOLDER
from packyard_cli.wire import Received


@pytest.fixture
def contract(service: Service, packyard: Command) -> RoleContract:
    return RoleContract(service, packyard.gateway)


@pytest.fixture
def support(contract: RoleContract, service: Service) -> dict[str, Any]:
    """A role that pins two packs; its lock."""
    slack = service.upload(PackArchive(name="slack").build()).body["id"]
    files = {"scripts/run.sh": b"#!/bin/sh\n", "data/same.csv": b"# Post a message\n", "data/empty": b""}
    jira = service.upload(PackArchive(name="jira", files=files).build()).body["id"]
    return contract.pin("support", slack, jira)


def _tree(folder: Path) -> dict[str, bytes]:
    """Return the files of an installation, without what it keeps of proofs."""
    return {
        place.relative_to(folder).as_posix(): place.read_bytes()
        for place in folder.rglob("*")
        if place.is_file() and RECORD_FOLDER not in place.parts
    }


def _only(folder: Path, *names: str) -> None:
    """Check that nothing half done lies beside an installation."""
    assert sorted(place.name for place in folder.iterdir()) == sorted(names)


def test_a_role_is_installed_pinned_whole_and_checked(
    packyard: Command, support: dict[str, Any], tmp_path: Path
) -> None:
    ran = packyard("install", "support", "--into", tmp_path / "here" / "packs")

    assert ran.exit_code == 0, ran.err
    tree = _tree(tmp_path / "here" / "packs")
    assert json.loads(tree.pop(LOCK_FILE)) == support
    assert sorted(tree) == [
        "jira/data/empty",
        "jira/data/same.csv",
        "jira/pack.yaml",
        "jira/scripts/run.sh",
        "slack/guides/post.md",
        "slack/pack.yaml",
    ]
    assert tree["slack/guides/post.md"] == b"# Post a message\n"
    _only(tmp_path / "here", "packs")
    assert packyard("verify", tmp_path / "here" / "packs").exit_code == 0


def test_a_second_install_fetches_nothing(
    packyard: Command, support: dict[str, Any], contract: RoleContract, tmp_path: Path
) -> None:
    packyard("install", "support", "--into", tmp_path / "packs")
    fetched = len(contract.fetched)

    packyard("install", "support", "--into", tmp_path / "packs")
    packyard("install", "support", "--into", tmp_path / "other")

    assert support
    assert len(contract.fetched) == fetched == 2
    assert _tree(tmp_path / "packs") == _tree(tmp_path / "other")


def test_after_a_change_only_what_changed_is_fetched(
    packyard: Command, contract: RoleContract, tmp_path: Path
) -> None:
    folder = pack_folder(tmp_path / "pack")
    (folder / "data").mkdir()
    for number in range(3):
        (folder / "data" / f"{number}.bin").write_bytes(bytes([number]) * (17 << 20))
    pack_id = packyard("push", "--json", folder).document["pack"]["id"]
    contract.pin("support", pack_id)
    packyard("install", "support", "--into", tmp_path / "packs")
    layers = len(contract.fetched)
    (folder / "guides" / "post.md").write_text("# Changed\n")
    (folder / "guides" / "old.md").write_text("# Old\n")
    packyard("push", folder)
    lock = contract.pin("support", pack_id)

    assert packyard("update", "--check", tmp_path / "packs").exit_code == 9
    ran = packyard("install", "support", "--into", tmp_path / "packs")

    assert ran.exit_code == 0, ran.err
    assert len(lock["packs"][0]["layers"]) > 1
    assert len(contract.fetched) - layers == 1
    assert (tmp_path / "packs" / "slack" / "guides" / "post.md").read_text() == "# Changed\n"
    assert packyard("verify", tmp_path / "packs").exit_code == 0
    assert packyard("update", "--check", tmp_path / "packs").exit_code == 0


def test_a_lock_file_is_installed_as_it_is(
    packyard: Command, support: dict[str, Any], contract: RoleContract, service: Service, tmp_path: Path
) -> None:
    file = tmp_path / "my.lock"
    written = packyard("lock", "support", "-o", file)
    service.send(
        "put_file",
        "PUT",
        f"/packs/{support['packs'][0]['id']}/files/guides/post.md",
        headers={},
        json={"other": 1},
    )
    contract.pin("support", *(pack["id"] for pack in support["packs"]))

    frozen = packyard("install", "support", "--into", tmp_path / "frozen", "--frozen", "--lock", file)
    current = packyard("install", "support", "--into", tmp_path / "current")

    assert (written.exit_code, frozen.exit_code, current.exit_code) == (0, 0, 0), frozen.err
    assert file.read_bytes() == json.dumps(support, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    assert (tmp_path / "frozen" / "slack" / "guides" / "post.md").read_bytes() == b"# Post a message\n"
    assert (tmp_path / "current" / "slack" / "guides" / "post.md").read_bytes() != b"# Post a message\n"


def test_frozen_needs_the_lock_of_that_role(
    packyard: Command, support: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "my.lock"
    absent = packyard("install", "support", "--into", tmp_path / "packs", "--frozen", "--lock", file)
    file.write_text(json.dumps(support))
    other = packyard("install", "sales", "--into", tmp_path / "packs", "--frozen", "--lock", file)
    file.write_text("{}")
    damaged = packyard("install", "support", "--into", tmp_path / "packs", "--frozen", "--lock", file)

    assert (absent.exit_code, other.exit_code, damaged.exit_code) == (16, 16, 16)
    assert "packyard lock ROLE" in absent.err
    assert "is the lock of the role 'support', not of 'sales'" in other.err
    assert not (tmp_path / "packs").exists()


def test_offline_takes_everything_from_the_cache_or_fails(
    packyard: Command, support: dict[str, Any], contract: RoleContract, tmp_path: Path
) -> None:
    file = tmp_path / "my.lock"
    packyard("lock", "support", "-o", file)
    offline = ("install", "support", "--offline", "--lock", file, "--into", tmp_path / "offline")

    before = packyard(*offline)
    packyard("install", "support", "--into", tmp_path / "online")
    sent = len(packyard.gateway.sent)
    after = packyard(*offline)

    assert (before.exit_code, after.exit_code) == (8, 0), after.err
    assert "not in the cache" in before.err
    assert len(packyard.gateway.sent) == sent
    assert _tree(tmp_path / "offline") == _tree(tmp_path / "online")
    assert support
    assert contract


def test_a_tampered_layer_leaves_everything_as_it_was(
    packyard: Command, support: dict[str, Any], contract: RoleContract, tmp_path: Path
) -> None:
    contract.damaged.add(support["packs"][1]["layers"][0]["digest"])

    ran = packyard("install", "support", "--into", tmp_path / "here" / "packs")

    assert ran.exit_code == 10
    assert "came with other bytes than its digest names" in ran.err
    _only(tmp_path / "here")
    blobs = tmp_path / "home" / "cache" / "blobs" / "sha256"
    assert not [place for place in blobs.iterdir() if place.name.startswith(".new-")]
    assert not (blobs / support["packs"][1]["layers"][0]["digest"].removeprefix("sha256:")).exists()
    contract.damaged.clear()
    assert packyard("install", "support", "--into", tmp_path / "here" / "packs").exit_code == 0


def test_the_images_of_several_packs_are_asked_for_at_once(
    packyard: Command, support: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, send = Barrier(2, timeout=30), packyard.gateway.send

    def waiting(method: str, url: str, **more: Any) -> Received:
        if "/download" in url:
            both.wait()
        return send(method, url, **more)

    monkeypatch.setattr(packyard.gateway, "send", waiting)

    ran = packyard("install", "support", "--into", tmp_path / "packs")

    assert ran.exit_code == 0, ran.err
    assert packyard("verify", tmp_path / "packs").exit_code == 0
    assert support


def test_a_layer_that_is_cut_off_is_fetched_again(
    packyard: Command, support: dict[str, Any], contract: RoleContract, tmp_path: Path
) -> None:
    def cut_off(before: int) -> Received | None:
        return Received(200, {}, CutOff(b"\x1f\x8b")) if before < 2 else None

    packyard.gateway.answers.insert(0, ("GET", re.compile(r"/sha256:[0-9a-f]+$"), cut_off))

    ran = packyard("install", "support", "--into", tmp_path / "packs")

    assert ran.exit_code == 0, ran.err
    assert packyard("verify", tmp_path / "packs").exit_code == 0
    assert support
    assert contract.fetched


def test_a_damaged_cache_is_replaced_online_and_refused_offline(
    packyard: Command, support: dict[str, Any], contract: RoleContract, tmp_path: Path
) -> None:
    file = tmp_path / "my.lock"
    packyard("lock", "support", "-o", file)
    packyard("install", "support", "--into", tmp_path / "packs")
    digest = support["packs"][0]["layers"][0]["digest"]
    blob = tmp_path / "home" / "cache" / "blobs" / "sha256" / digest.removeprefix("sha256:")

    content = blob.read_bytes()
    blob.write_bytes(content[:-9] + b"x" + content[-8:])
    offline = packyard("install", "support", "--offline", "--lock", file, "--into", tmp_path / "offline")
    blob.write_bytes(content[:-9] + b"x" + content[-8:])
    online = packyard("install", "support", "--into", tmp_path / "online")

    assert (offline.exit_code, online.exit_code) == (10, 0), online.err
    assert not (tmp_path / "offline").exists()
    assert blob.read_bytes() == content
    assert contract.fetched.count(digest) == 2


def test_an_image_without_the_layers_of_the_lock_is_refused(
    packyard: Command, support: dict[str, Any], contract: RoleContract, tmp_path: Path
) -> None:
    one, other = contract.locks["support"]["packs"]
    one["layers"], other["layers"] = other["layers"], one["layers"]

    ran = packyard("install", "support", "--into", tmp_path / "packs")

    assert ran.exit_code == 10
    assert "does not have the layers that the lock names" in ran.err
    assert contract.fetched == []
    assert support


@pytest.mark.parametrize(
    ("change", "exit_code", "said"),
    [
        ({"path": "../../outside"}, 12, "leads outside|holds '..'"),
        ({"path": "/etc/passwd"}, 12, "absolute"),
        ({"path": "a\\..\\b"}, 12, "backslash"),
        ({"path": "guides/./a"}, 12, "no plain path"),
        ({"digest": "sha256:" + "0" * 64}, 10, "content digest"),
        ({"digest": "md5:0"}, 16, "no lock document"),
    ],
)
def test_a_lock_that_lies_about_a_file_is_refused(  # noqa: PLR0917 - fixtures and a table
    packyard: Command,
    support: dict[str, Any],
    contract: RoleContract,
    tmp_path: Path,
    change: dict[str, str],
    exit_code: int,
    said: str,
) -> None:
    contract.locks["support"]["packs"][0]["files"][0] |= change

    ran = packyard("install", "support", "--into", tmp_path / "here" / "packs")

    assert ran.exit_code == exit_code, ran.err
    assert any(part in ran.err for part in said.split("|"))
    assert not (tmp_path / "here").exists()
    assert support


@pytest.mark.parametrize("name", ["..", "a/b", ".hidden", ""])
def test_a_pack_s_name_that_leads_outside_is_refused(
    packyard: Command, support: dict[str, Any], contract: RoleContract, tmp_path: Path, name: str
) -> None:
    contract.locks["support"]["packs"][0]["name"] = name

    assert packyard("install", "support", "--into", tmp_path / "packs").exit_code == 12
    assert support


def test_a_set_digest_of_other_packs_is_refused(
    packyard: Command, support: dict[str, Any], contract: RoleContract, tmp_path: Path
) -> None:
    contract.locks["support"]["packs"].pop()

    ran = packyard("install", "support", "--into", tmp_path / "packs")

    assert ran.exit_code == 10
    assert "set_digest" in ran.err
    assert support


def test_a_name_that_windows_reserves_is_refused_there(
    packyard: Command, contract: RoleContract, service: Service, tmp_path: Path
) -> None:
    pack_id = service.upload(PackArchive(files={"guides/aux.md": b"x"}).build()).body["id"]
    contract.pin("support", pack_id)

    here = packyard("install", "support", "--into", tmp_path / "here")
    packyard.windows = True
    there = packyard("install", "support", "--into", tmp_path / "there")

    assert (here.exit_code, there.exit_code) == (0, 13)
    assert "aux.md is a name that Windows reserves" in there.err
    assert not (tmp_path / "there").exists()


def test_names_that_differ_in_case_are_refused_where_that_is_one_name(
    packyard: Command,
    contract: RoleContract,
    service: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pack_id = service.upload(PackArchive(files={"guides/A.md": b"x", "guides/a.md": b"y"}).build()).body["id"]
    contract.pin("support", pack_id)
    monkeypatch.setattr("packyard_cli.installing.folds_case", lambda _: True)

    ran = packyard("install", "support", "--into", tmp_path / "packs")

    assert ran.exit_code == 13
    assert "slack/guides/A.md and slack/guides/a.md are one file" in ran.err


def test_files_of_somebody_else_are_never_replaced(
    packyard: Command, support: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / "mine.txt").write_text("mine")

    ran = packyard("install", "support", "--into", tmp_path / "packs")

    assert ran.exit_code == 7
    assert _tree(tmp_path / "packs") == {"mine.txt": b"mine"}
    assert support


def test_an_interrupt_leaves_the_installation_as_it_was(
    packyard: Command, support: dict[str, Any], contract: RoleContract, service: Service, tmp_path: Path
) -> None:
    packyard("install", "support", "--into", tmp_path / "here" / "packs")
    before = _tree(tmp_path / "here" / "packs")
    new = service.upload(PackArchive(name="third").build()).body["id"]
    contract.pin("support", new)

    def interrupted(_: int) -> Received | None:
        raise KeyboardInterrupt

    packyard.gateway.answers.insert(0, ("GET", contract.gateway.answers[2][1], interrupted))

    ran = packyard("install", "support", "--into", tmp_path / "here" / "packs")

    assert ran.exit_code == 130
    assert _tree(tmp_path / "here" / "packs") == before
    _only(tmp_path / "here", "packs")
    assert support


def test_two_installs_into_one_folder_do_not_mix(
    packyard: Command, support: dict[str, Any], contract: RoleContract, service: Service, tmp_path: Path
) -> None:
    into, during = tmp_path / "here" / "packs", []
    packyard("install", "support", "--into", into)
    contract.pin("support", service.upload(PackArchive(name="third").build()).body["id"])

    def meanwhile(_: int) -> None:
        asked, headers = packyard.gateway.sent[-1], packyard.gateway.headers[-1]
        during.append(packyard("install", "support", "--into", into))
        during.append(packyard("verify", into))
        # What answers the first install's request looks there for it.
        packyard.gateway.sent.append(asked)
        packyard.gateway.headers.append(headers)

    packyard.gateway.answers.insert(0, ("GET", contract.gateway.answers[2][1], meanwhile))

    ran = packyard("install", "support", "--into", into)

    second, verify = during
    assert (second.exit_code, verify.exit_code) == (7, 0)
    assert "Another packyard fills" in second.err
    assert ran.exit_code == 0, ran.err
    assert {path.partition("/")[0] for path in _tree(into)} == {"third", LOCK_FILE}
    _only(tmp_path / "here", "packs")
    assert support


def test_a_crash_between_the_two_moves_is_put_right_by_the_next_command(
    packyard: Command, support: dict[str, Any], tmp_path: Path
) -> None:
    packyard("install", "support", "--into", tmp_path / "here" / "packs")
    (tmp_path / "here" / "packs").rename(tmp_path / "here" / ".packs.packyard-old-x")

    assert packyard("verify", tmp_path / "here" / "packs").exit_code == 0
    _only(tmp_path / "here", "packs")
    assert support


def test_a_full_disk_leaves_nothing(
    packyard: Command,
    support: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Full(io.FileIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("packyard_cli.new_tree.open", lambda name, mode, **_: Full(name, mode), raising=False)

    ran = packyard("install", "support", "--into", tmp_path / "here" / "packs")

    assert ran.exit_code == 15
    assert ran.err == "packyard: The disk is full.\n  Free some space, and repeat the command.\n"
    monkeypatch.undo()
    _only(tmp_path / "here")
    assert support


def test_verify_names_everything_that_is_not_as_the_lock_says(
    packyard: Command, support: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "packs"
    packyard("install", "support", "--into", folder)
    (folder / "slack" / "guides" / "post.md").write_bytes(b"# Post a messagf\n")
    (folder / "slack" / "pack.yaml").unlink()
    (folder / "jira" / "scripts" / "run.sh").chmod(0o755)
    (folder / "jira" / "data" / "more").write_text("x")
    (folder / "jira" / "data" / "empty").unlink()
    (folder / "jira" / "data" / "empty").symlink_to("same.csv")

    ran = packyard("verify", "--json", folder)

    assert ran.exit_code == 11
    assert {fault["path"]: fault["reason"] for fault in ran.document["faults"]} == {
        "slack/guides/post.md": "other content",
        "slack/pack.yaml": "missing",
        "jira/scripts/run.sh": "other mode",
        "jira/data/more": "unexpected",
        "jira/data/empty": "not a file",
    }
    again = packyard("install", "support", "--into", folder)
    assert again.exit_code == 0
    assert packyard("verify", folder).exit_code == 0
    assert support


def test_a_check_that_fails_is_never_up_to_date(
    packyard: Command, support: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "packs"
    packyard("install", "support", "--into", folder)
    packyard.gateway.answers.insert(
        0, ("GET", packyard.gateway.answers[0][1], lambda _: received(500, b"broken"))
    )

    ran = packyard("update", "--check", folder)

    assert ran.exit_code == 8
    assert "up to date" not in ran.out
    assert packyard("update", "--check", tmp_path / "nowhere").exit_code == 16
    assert support


def test_a_pack_with_a_newer_revision_than_the_pin_is_stale(
    packyard: Command, support: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "packs"
    packyard("install", "support", "--into", folder)
    pins = [{"id": support["packs"][0]["id"], "stale": True}]
    role = {"role_id": "support", "pack_ids": [], "packs": pins}
    packyard.gateway.instead("GET", r"/agent-roles/support/packs", lambda _: received(200, role))

    ran = packyard("update", "--check", folder)

    assert ran.exit_code == 9
    assert ran.out == "slack has a newer revision (packyard roles refresh support)\n"


def test_one_pack_is_pulled_and_checked(packyard: Command, support: dict[str, Any], tmp_path: Path) -> None:
    ran = packyard("pull", "slack", "--into", tmp_path / "slack")

    assert ran.exit_code == 0, ran.err
    assert sorted(_tree(tmp_path / "slack")) == ["guides/post.md", "pack.yaml", PULL_FILE]
    verified = packyard("verify", "--json", tmp_path / "slack").document
    assert verified == {
        "verified": True,
        "pack_id": support["packs"][0]["id"],
        "image_digest": support["packs"][0]["image_digest"],
        "provenance": [{"pack_id": support["packs"][0]["id"], "name": "slack", "provenance": "no_keys"}],
        "faults": [],
    }


def test_a_pull_into_the_same_folder_brings_what_changed(
    packyard: Command, contract: RoleContract, tmp_path: Path
) -> None:
    folder = pack_folder(tmp_path / "pack", data__kept_csv="a\n")
    pinned = packyard("push", "--json", folder).document["pack"]
    contract.pin("support", pinned["id"])
    packyard("pull", "slack", "--into", tmp_path / "slack")
    kept = (tmp_path / "slack" / "data" / "kept.csv").stat().st_ino
    (folder / "guides" / "post.md").write_text("# Changed\n")
    (folder / "guides" / "new.md").write_text("# New\n")
    packyard("push", folder)

    ran = packyard("pull", "slack", "--into", tmp_path / "slack")

    assert ran.exit_code == 0, ran.err
    tree = _tree(tmp_path / "slack")
    assert (tree["guides/post.md"], tree["guides/new.md"]) == (b"# Changed\n", b"# New\n")
    assert (tmp_path / "slack" / "data" / "kept.csv").stat().st_ino == kept
    assert packyard("verify", tmp_path / "slack").exit_code == 0


def test_a_pulled_pack_that_was_changed_is_found_and_put_right(
    packyard: Command, support: dict[str, Any], tmp_path: Path
) -> None:
    packyard("pull", "slack", "--into", tmp_path / "slack")
    (tmp_path / "slack" / "guides" / "post.md").write_bytes(b"# Post a messagf\n")
    (tmp_path / "slack" / "more").write_text("x")

    ran = packyard("verify", tmp_path / "slack")

    assert ran.exit_code == 11
    assert ran.out.splitlines()[:2] == ["guides/post.md: other content", "more: unexpected"]
    advice = f"packyard pull {support['packs'][0]['id']} --into {tmp_path / 'slack'}"
    assert ran.out.splitlines()[2] == f"2 differences from the image: pull again with {advice}."
    assert packyard(*advice.split()[1:]).exit_code == 0
    assert packyard("verify", tmp_path / "slack").exit_code == 0


def test_a_pull_and_an_installation_do_not_replace_each_other(
    packyard: Command, support: dict[str, Any], tmp_path: Path
) -> None:
    packyard("pull", "slack", "--into", tmp_path / "slack")
    packyard("install", "support", "--into", tmp_path / "packs")

    refused = {
        ("pull", "jira", "--into", "slack"): "holds another pack, slack",
        ("pull", "slack", "--into", "packs"): "holds the installation of a role",
        ("install", "support", "--into", "slack"): "holds a pack that was pulled without a role",
    }
    for (*command, folder), reason in refused.items():
        ran = packyard(*command, tmp_path / folder)
        assert (ran.exit_code, reason in ran.err) == (7, True), ran.err
    assert packyard("update", "--check", tmp_path / "slack").exit_code == 16
    for folder in ("slack", "packs"):
        assert packyard("verify", tmp_path / folder).exit_code == 0
    assert support


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda text: text[:-9], id="cut off"),
        pytest.param(lambda text: text.replace('"guides/', '"../'), id="leads outside"),
        pytest.param(lambda text: text.replace('"pull_version":1', '"pull_version":2'), id="newer"),
        pytest.param(lambda text: text.replace('"0644"', '"0755"', 1), id="another mode"),
        pytest.param(lambda _: "[]", id="no object"),
    ],
)
def test_a_damaged_record_of_a_pull_verifies_nothing_and_is_replaced(
    packyard: Command, support: dict[str, Any], tmp_path: Path, damage: Callable[[str], str]
) -> None:
    packyard("pull", "slack", "--into", tmp_path / "slack")
    record = tmp_path / "slack" / PULL_FILE
    record.write_text(damage(record.read_text()))

    assert packyard("verify", tmp_path / "slack").exit_code in {10, 12, 16}
    assert packyard("pull", "slack", "--into", tmp_path / "slack").exit_code == 0
    assert packyard("verify", tmp_path / "slack").exit_code == 0
    assert support
