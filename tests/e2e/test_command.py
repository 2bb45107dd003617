"""The `packyard` command against the deployed stack, by its own HTTP."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from local.stack import StackDescription
from tests.command import pack_folder
from tests.scans import ADVICE, ADVICE_RULE

from packyard_cli.context import Context
from packyard_cli.failure import Exit
from packyard_cli.main import run
from packyard_cli.printing import Printer

_SECONDS = 30
# A job in a shell's background ignores interrupts, and so does what it starts.
_INTERRUPTIBLE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from packyard_cli.__main__ import main; raise SystemExit(main())"
)
# Longer than the 5 seconds that are promised: test machines are busy.
_INDEXED_SECONDS = 20


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
    assert len(_revisions(environment, "by-command")) == 3
    assert _run(environment, "show", "by-command")["name"] == "by-command"
    assert "by-command" in _found(environment, "by-command")
    assert _run(environment, "version-policy", "free") == {"version_policy": "free"}
    packed = _run(environment, "pack", folder, "--output", tmp_path / "pack.tar.gz")
    assert packed["content_digest"] == third["pack"]["content_digest"]
    assert not _run(environment, "scan", tmp_path / "pack.tar.gz")["blocked"]
    assert _run(environment, "pull", "by-command", "--into", tmp_path / "pulled")
    assert (tmp_path / "pulled" / "data" / "large").read_bytes() == large
    assert _run(environment, "verify", tmp_path / "pulled")["verified"]
    assert _run(environment, "pull", "by-command", "--into", tmp_path / "pulled")
    compared = _run(environment, "diff", "by-command", "1", "2")
    assert [file["path"] for file in compared["files"]["removed"]] == ["data/a.csv"]
    assert _run(environment, "impact", "by-command")["others"] == 0
    assert _run(environment, "deprecate", "by-command", "Use another.")["deprecated"] == {
        "message": "Use another."
    }
    assert "deprecated" not in _run(environment, "deprecate", "by-command", "--undo")
    assert _run(environment, "rollback", "by-command", "1")["version"] == "1.4.0"
    _run(environment, "edit", "by-command", "guides/new.md", "--from", "-", stdin="# New\n")
    paths = {file["path"] for file in _run(environment, "files", "by-command")["files"]}
    assert paths == {"pack.yaml", "guides/post.md", "guides/new.md", "data/a.csv"}
    assert _run(environment, "visibility", "by-command", "community")["visibility"] == "community"
    assert _run(environment, "clone", "by-command", "--name", "by-command-two")["image_origin"] == "clone"
    assert _run(environment, "roles", "attach", "by-command", "by-command-two")["pack_ids"]
    assert [pin["name"] for pin in _run(environment, "roles", "show", "by-command")["packs"]] == [
        "by-command-two"
    ]
    assert "by-command" in [role["role_id"] for role in _run(environment, "roles", "list")["roles"]]
    assert _run(environment, "roles", "detach", "by-command", "by-command-two")["pack_ids"] == []
    assert _run(environment, "roles", "set", "by-command")["pack_ids"] == []
    assert len(_run(environment, "roles", "revisions", "by-command")["revisions"]) >= 2
    for name in ("by-command", "by-command-two"):
        assert _run(environment, "delete", name, "--yes")["status"] == "deleted"


def test_a_revision_is_withdrawn_restored_and_deleted(environment: dict[str, str], tmp_path: Path) -> None:
    folder = pack_folder(tmp_path / "pack", name="withdrawn")
    for text in ("first", "second", "third"):
        (folder / "guides" / "post.md").write_text(text)
        _run(environment, "push", folder)

    withdrawn = _run(environment, "withdraw", "withdrawn", "2", "--reason", "It names a host.")
    restored = _run(environment, "restore", "withdrawn", "2")
    gone = _run(environment, "delete", "withdrawn", "--revision", "2", "--yes")

    assert (withdrawn["status"], restored["status"]) == ("withdrawn", "active")
    assert (gone["status"], gone["clones"]) == ("deleted", 0)
    states = {entry["revision"]: entry["status"] for entry in _revisions(environment, "withdrawn")}
    assert states == {1: "active", 2: "deleted", 3: "active"}
    assert _run(environment, "retention", "withdrawn", "--keep", "20", "--yes") == {"keep": 20}


def test_a_finding_is_shown_and_let_pass_and_the_policy_changed_in_parts(
    environment: dict[str, str], tmp_path: Path
) -> None:
    folder = pack_folder(tmp_path / "pack", name="with-advice")
    (folder / "guides" / "start.md").write_bytes(ADVICE)
    _run(environment, "push", folder)
    until = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    why = ("--reason", "It shows what an attack looks like.", "--until", until)

    found = _run(environment, "findings", "with-advice")["findings"]
    assert [(each["rule"], each["path"]) for each in found] == [(ADVICE_RULE, "guides/start.md")]
    before = _run(environment, "scan-policy")
    changed = _run(environment, "scan-policy", "--rule", f"{ADVICE_RULE}=block", "--block", "critical")
    assert changed == {**before, "block": "critical", "rules": {ADVICE_RULE: "block"}}
    _run(environment, "scan-policy", "--rule", f"{ADVICE_RULE}=never", exit_code=Exit.USAGE)

    (folder / "guides" / "post.md").write_text("# Changed\n")
    _run(environment, "push", folder, exit_code=Exit.BLOCKED)
    _run(environment, "override", "with-advice", ADVICE_RULE, "guides/start.md", *why)
    _run(environment, "push", folder)
    scan = _run(environment, "findings", "with-advice")
    assert ([each["overridden"] for each in scan["findings"]], len(scan["overrides"])) == ([True], 1)
    rules = ("--rule", f"{ADVICE_RULE}=default", "--block", str(before["block"]))
    assert _run(environment, "scan-policy", *rules) == before


def test_an_installation_is_proved_by_keys_that_the_user_trusts(
    environment: dict[str, str], tmp_path: Path
) -> None:
    folder = pack_folder(tmp_path / "pack", name="proved")
    _run(environment, "push", folder)
    _run(environment, "roles", "set", "proved", "proved")
    into, saved = tmp_path / "installed", tmp_path / "saved"

    installed = _run(environment, "install", "proved", "--into", into, "--require-provenance")
    explained = _run(environment, "verify", into, "--explain", "proved/guides/post.md")
    attested = _run(environment, "attest", "proved", "--output", saved)

    assert [pack["provenance"] for pack in installed["packs"]] == ["proved"]
    [chain] = explained["chains"]
    [trusted] = _run(environment, "trust", "keys", "list")["services"]
    assert [key["id"] for key in trusted["keys"]] == [chain["key"]["id"]] == [attested["key"]["id"]]
    assert attested["image_digest"] == installed["packs"][0]["image_digest"]
    _run(environment, "trust", "keys", "remove", chain["key"]["id"], "--yes")
    refused = _run(environment, "install", "proved", "--into", into, exit_code=19)
    assert refused["error"]["code"] == "untrusted_key"
    assert _run(environment, "trust", "keys", "add", saved / "key.pem")["added"] == [chain["key"]["id"]]
    assert _run(environment, "trust", "keys", "pin", "--yes")["added"] == []
    assert _run(environment, "install", "proved", "--into", into)["folder"]
    _run(environment, "trust", "policy", "set", "--none")
    assert _run(environment, "trust", "policy", "show")["rules"] == []


def _revisions(environment: dict[str, str], pack: str) -> list[dict[str, Any]]:
    revisions: list[dict[str, Any]] = _run(environment, "revisions", pack)["revisions"]
    return revisions


def test_watching_pushes_what_changes_until_it_is_interrupted(
    environment: dict[str, str], tmp_path: Path
) -> None:
    folder = pack_folder(tmp_path / "pack", name="watched")
    watching = subprocess.Popen(  # noqa: S603 - the command itself
        [sys.executable, "-c", _INTERRUPTIBLE, "push", "--watch", "--quiet", folder],
        env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with watching:
        assert watching.stdout is not None
        try:
            first = watching.stdout.readline()
            (folder / "guides" / "post.md").write_text("# Changed\n")
            second = watching.stdout.readline()
            watching.send_signal(signal.SIGINT)
            rest, _ = watching.communicate(timeout=_SECONDS)
        finally:
            watching.kill()

    assert watching.returncode == 0
    assert rest == ""
    digests = [entry["image_digest"] for entry in _revisions(environment, "watched")]
    assert [line.rpartition("@")[2].strip() for line in (second, first)] == digests


def test_a_login_is_tried_and_kept(environment: dict[str, str]) -> None:
    url, token = environment.pop("PACKYARD_URL"), environment.pop("PACKYARD_TOKEN")

    _run(environment, "login", url, stdin=token)

    assert _run(environment, "whoami")["accepted"]
    assert isinstance(_run(environment, "list", "--owned")["packs"], list)
    assert _run(environment, "logout") == {"profile": "default", "forgotten": True}


def test_a_key_is_made_listed_and_revoked(environment: dict[str, str]) -> None:
    made = _run(environment, "keys", "make", "by-command", "--pack", "by-command", "--days", "1")

    assert made["id"] in [key["id"] for key in _run(environment, "keys", "list")["keys"]]
    _run(environment, "keys", "revoke", made["id"], "--yes")
    # What is younger than ten seconds is not listed yet. The stack's own key is older.
    issued = _run(environment, "events", "--type", "key.issued", "--actor", "operator", "--limit", "1")
    assert [event["type"] for event in issued["events"]] == ["key.issued"]
    assert _run(environment, "usage")["publishes_a_day"]["used"] >= 0
    refused = _run({**environment, "PACKYARD_TOKEN": made["key"]}, "list", exit_code=4)
    assert refused["error"]["code"] == "unauthenticated"
    assert "packyard" in _run(environment, "completion", "bash")["script"]


def _found(environment: dict[str, str], *words: str) -> list[str]:
    """Return the names of the packs that a search finds. The stream tells the index of new ones within 5 seconds."""
    deadline = time.monotonic() + _INDEXED_SECONDS
    while True:
        names = [pack["name"] for pack in _run(environment, "search", *words)["packs"]]
        if names or time.monotonic() > deadline:
            return names
        time.sleep(0.2)


def test_a_feed_is_made_listed_and_revoked(environment: dict[str, str], tmp_path: Path) -> None:
    _run(environment, "push", pack_folder(tmp_path / "pack", name="fed"))
    made = _run(environment, "feeds", "create", "fed", "--label", "By the command", "--expires-in", "1h")

    shown = _run(environment, "feeds", "show", made["id"])
    assert (shown["label"], "url" in shown) == ("By the command", False)
    assert made["id"] in [feed["id"] for feed in _run(environment, "feeds", "list")["feeds"]]
    with urllib.request.urlopen(f"{made['url']}marketplace.json", timeout=_SECONDS) as answer:  # noqa: S310 - loopback
        assert json.load(answer)["owner"]
    _run(environment, "feeds", "revoke", made["id"], "--yes")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{made['url']}marketplace.json", timeout=_SECONDS)  # noqa: S310 - loopback
