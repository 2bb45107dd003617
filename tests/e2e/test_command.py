"""The `packyard` command against the deployed stack, by its own HTTP."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from local.stack import StackDescription
from tests.command import pack_folder

from packyard_cli.context import Context
from packyard_cli.main import run
from packyard_cli.printing import Printer


@pytest.fixture
def environment(stack: StackDescription, tmp_path: Path) -> dict[str, str]:
    return {
        "PACKYARD_URL": stack["api_url"],
        "PACKYARD_TOKEN": stack["orgs"]["acme"]["keys"]["full_access"],
        "PACKYARD_CONFIG_DIR": str(tmp_path / "config"),
        "PACKYARD_CACHE_DIR": str(tmp_path / "cache"),
        "PACKYARD_NO_KEYRING": "1",
    }


def _run(environment: dict[str, str], *arguments: str | Path, stdin: str = "", exit_code: int = 0) -> Any:
    out, err = io.StringIO(), io.StringIO()
    context = Context(
        environment=environment, printer=Printer(out=out, err=err, json=True), stdin=io.StringIO(stdin)
    )
    ended = run([*map(str, arguments), "--json"], context)
    assert ended == exit_code, (arguments, out.getvalue(), err.getvalue())
    return json.loads(out.getvalue())


def test_a_pack_is_pushed_changed_read_and_deleted(environment: dict[str, str], tmp_path: Path) -> None:
    folder = pack_folder(tmp_path / "pack", name="by-command", data__a_csv="a\n")
    large = b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(150_000))

    first = _run(environment, "push", folder)
    (folder / "guides" / "post.md").write_text("# Changed\n")
    (folder / "data" / "a.csv").unlink()
    second = _run(environment, "push", folder)
    (folder / "data" / "large").write_bytes(large)
    third = _run(environment, "push", folder)
    again = _run(environment, "push", folder)

    assert (first["created"], second["created"], again["changed"]) == (True, False, False)
    assert [file["path"] for file in second["files"]["removed"]] == ["data/a.csv"]
    assert third["sent_bytes"] > 4_000_000
    assert again["reference"] == third["reference"] != second["reference"]
    assert _run(environment, "cat", "by-command", "guides/post.md")["content"] == "# Changed\n"
    assert _run(environment, "cat", "by-command", "data/large")["digest"] == (
        f"sha256:{hashlib.sha256(large).hexdigest()}"
    )
    assert _run(environment, "diff", folder)["equal"]
    assert len(_run(environment, "revisions", "by-command")["revisions"]) == 3
    assert _run(environment, "rollback", "by-command", "1")["version"] == "1.4.0"
    _run(environment, "edit", "by-command", "guides/new.md", "--from", "-", stdin="# New\n")
    paths = {file["path"] for file in _run(environment, "files", "by-command")["files"]}
    assert paths == {"pack.yaml", "guides/post.md", "guides/new.md", "data/a.csv"}
    assert _run(environment, "visibility", "by-command", "community")["visibility"] == "community"
    assert _run(environment, "clone", "by-command", "--name", "by-command-two")["image_origin"] == "clone"
    assert _run(environment, "roles", "attach", "by-command", "by-command-two")["pack_ids"]
    assert _run(environment, "roles", "set", "by-command")["pack_ids"] == []
    for name in ("by-command", "by-command-two"):
        assert _run(environment, "delete", name, "--yes")["status"] == "deleted"


def test_what_a_role_pins_is_installed_verified_and_moved_with_consent(
    environment: dict[str, str], tmp_path: Path
) -> None:
    folder, into = pack_folder(tmp_path / "pack", name="installed-pack"), tmp_path / "here"
    _run(environment, "push", folder)
    _run(environment, "roles", "set", "installer", "installed-pack")

    _run(environment, "lock", "installer", "--output", tmp_path / "packyard.lock")
    _run(environment, "install", "installer", "--into", into)
    assert (into / "installed-pack" / "guides" / "post.md").exists()
    (folder / "guides" / "post.md").write_text("# Changed\n")
    _run(environment, "push", folder)
    stale = _run(environment, "update", "--check", into, exit_code=9)
    _run(environment, "roles", "refresh", "installer")
    _run(environment, "install", "installer", "--into", into)

    assert stale["stale"]
    assert (into / "installed-pack" / "guides" / "post.md").read_text() == "# Changed\n"
    _run(environment, "verify", into)
    _run(environment, "update", "--check", into)
    _run(environment, "pull", "installed-pack", "--into", tmp_path / "pulled")
    _run(environment, "roles", "delete", "installer", "--yes")
    _run(environment, "delete", "installed-pack", "--yes")


def test_a_login_is_tried_and_kept(environment: dict[str, str]) -> None:
    url, token = environment.pop("PACKYARD_URL"), environment.pop("PACKYARD_TOKEN")

    _run(environment, "login", url, stdin=token)

    assert _run(environment, "whoami")["accepted"]
    assert isinstance(_run(environment, "list", "--owned")["packs"], list)
    assert _run(environment, "logout") == {"profile": "default", "forgotten": True}
