"""Skills that others have published, and folders that hold several."""

import base64
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.attesting import Attesting
from tests.command import Command, received
from tests.service import Service

from packyard.attestations.statement import PROVENANCE

INDEX = "https://skills.test/o/acme/.well-known/agent-skills/index.json"
SCHEMA = "https://schemas.agentskills.io/discovery/0.2.0/schema.json"


def skill(name: str, more: str = "") -> dict[str, bytes]:
    """Return the files of a skill."""
    front = f"---\nname: {name}\ndescription: Tries {name}.\n---\n# {name}\n{more}"
    return {"SKILL.md": front.encode(), "scripts/run.sh": b"#!/bin/sh\n"}


def below(folder: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return files below a folder."""
    return {f"{folder}/{path}": content for path, content in files.items()}


def tarball(files: Mapping[str, bytes], *, links: Mapping[str, str] | None = None) -> bytes:
    """Return a `.tar.gz`, as GitHub's, in which scripts are executable."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(content), 0o755 if path.endswith(".sh") else 0o644
            tar.addfile(info, io.BytesIO(content))
        for path, target in (links or {}).items():
            info = tarfile.TarInfo(path)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return buffer.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return a `.zip`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for path, content in files.items():
            info = zipfile.ZipInfo(path)
            info.create_system, info.external_attr = 3, (0o100755 if path.endswith(".sh") else 0o100644) << 16
            file.writestr(info, content)
    return buffer.getvalue()


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files into a folder, and return it."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def serve(packyard: Command, url: str, body: Any, status: int = 200, **headers: str) -> None:
    """Let a server of somebody else answer one URL."""
    packyard.gateway.instead("GET", f"^{url}$", lambda _: received(status, body, **headers))


def imported(packyard: Command, source: str, *options: str, exit_code: int = 0) -> Any:
    ran = packyard("import", source, "--json", *options)
    assert ran.exit_code == exit_code, ran.out
    return ran.document


def contents(packyard: Command, pack: str) -> dict[str, bytes]:
    """Return a pack's files."""
    listed = packyard("files", "-q", pack).out.split()
    return {path: packyard("cat", pack, path).raw for path in listed}


def test_every_skill_of_a_repository_becomes_a_pack_byte_for_byte(packyard: Command) -> None:
    files = below("repo-1.0/skills/pdf", skill("pdf")) | below("repo-1.0/skills/docx", skill("docx"))
    # A plugin repeats a skill, and what else a repository holds is no concern of ours.
    files |= below("repo-1.0/plugins/office/skills/pdf", skill("pdf")) | {"repo-1.0/README.md": b"Read me\n"}
    archive = tarball(files, links={"repo-1.0/CLAUDE.md": "README.md"})
    serve(packyard, "https://codeload.github.com/acme/repo/tar.gz/v1.0", archive)

    document = imported(packyard, "github:acme/repo@v1.0")
    again = imported(packyard, "github:acme/repo@v1.0/skills/pdf")

    assert [(pack["source"], pack["pack"]["name"], pack["changed"]) for pack in document["packs"]] == [
        ("github:acme/repo@v1.0/skills/docx", "docx", True),
        ("github:acme/repo@v1.0/skills/pdf", "pdf", True),
    ]
    assert document["failed"] == []
    assert contents(packyard, "pdf") == skill("pdf")
    assert [(pack["pack"]["name"], pack["changed"]) for pack in again["packs"]] == [("pdf", False)]
    # No credential of the service goes elsewhere.
    assert all(
        "Authorization" not in headers
        for (_, url), headers in zip(packyard.gateway.sent, packyard.gateway.headers, strict=True)
        if "github.com" in url
    )


def test_one_skill_that_is_refused_keeps_none_of_the_others_back(packyard: Command) -> None:
    files = (
        below("r/a", skill("good"))
        | below("r/b", {"SKILL.md": b"no frontmatter"})
        | below("r/c", skill("linked"))
    )
    archive = tarball(files, links={"r/c/more.md": "../../etc/passwd"})
    serve(packyard, "https://codeload.github.com/acme/repo/tar.gz/v1", archive)

    document = imported(packyard, "github:acme/repo@v1", exit_code=3)

    assert [pack["pack"]["name"] for pack in document["packs"]] == ["good"]
    assert [failed["source"] for failed in document["failed"]] == [
        "github:acme/repo@v1/b",
        "github:acme/repo@v1/c",
    ]
    assert "more.md" in document["failed"][1]["error"]["message"]


def test_two_skills_of_one_name_are_refused_before_anything_is_published(packyard: Command) -> None:
    files = below("r/a", skill("same")) | below("r/b", skill("same", "other"))
    serve(packyard, "https://codeload.github.com/acme/repo/tar.gz/v1", tarball(files))

    document = imported(packyard, "github:acme/repo@v1", exit_code=7)

    assert "github:acme/repo@v1/a and github:acme/repo@v1/b" in document["error"]["message"]
    assert packyard("list", "-q", "--owned").out == ""


def test_an_index_is_imported_with_every_digest_checked(packyard: Command) -> None:
    archives = {"one": zipped(skill("one")), "two": tarball(skill("two")), "bad": zipped(skill("bad"))}
    alone = skill("three")["SKILL.md"]
    entries = [
        {
            "name": name,
            "type": "archive",
            "description": "x",
            "url": f"../../zips/{name}",
            "digest": f"sha256:{sha256(content if name != 'bad' else b'other').hexdigest()}",
        }
        for name, content in archives.items()
    ]
    digest = f"sha256:{sha256(alone).hexdigest()}"
    entries += [
        {"name": "three", "type": "skill-md", "description": "x", "url": "/three.md", "digest": digest}
    ]
    entries += [{"name": "four", "type": "archive", "description": "x", "url": "/four.zip"}]
    serve(packyard, INDEX, {"$schema": SCHEMA, "skills": entries})
    serve(packyard, "https://skills.test/three.md", alone)
    for name, content in archives.items():
        serve(
            packyard,
            f"https://skills.test/o/acme/zips/{name}",
            None,
            302,
            Location=f"https://s3.test/{name}?key=1",
        )
        serve(packyard, rf"https://s3.test/{name}\?key=1", content)

    document = imported(packyard, INDEX, exit_code=10)
    only = imported(packyard, f"{INDEX}#two")

    assert [pack["pack"]["name"] for pack in document["packs"]] == ["one", "two", "three"]
    assert [failed["source"] for failed in document["failed"]] == [f"{INDEX}#bad", f"{INDEX}#four"]
    assert "other bytes than its digest" in document["failed"][0]["error"]["message"]
    assert [pack["pack"]["name"] for pack in only["packs"]] == ["two"]
    assert contents(packyard, "one") == skill("one")


def test_clawhub_is_imported_at_a_version(packyard: Command) -> None:
    base = "https://clawhub.ai/api/v1"
    answer = {"latestVersion": {"version": "1.2.0"}, "moderation": None}
    serve(packyard, rf"{base}/skills/notes\?ownerHandle=acme", answer)
    serve(packyard, rf"{base}/download\?slug=notes&ownerHandle=acme&version=1.2.0", zipped(skill("notes")))
    serve(
        packyard, rf"{base}/skills/bad\?ownerHandle=acme", answer | {"moderation": {"isMalwareBlocked": True}}
    )

    document = imported(packyard, "clawhub:acme/notes")
    blocked = imported(packyard, "clawhub:acme/bad", exit_code=18)

    assert [pack["source"] for pack in document["packs"]] == ["clawhub:acme/notes@1.2.0"]
    assert contents(packyard, "notes") == skill("notes")
    assert "blocked" in blocked["error"]["message"]


def test_a_dry_run_publishes_nothing(packyard: Command) -> None:
    serve(packyard, "https://codeload.github.com/acme/repo/tar.gz/v1", tarball(below("r", skill("alone"))))

    document = imported(packyard, "github:acme/repo@v1", "--dry-run")

    assert [pack["outcome"] for pack in document["packs"]] == ["created"]
    assert packyard("list", "-q", "--owned").out == ""


@pytest.mark.parametrize(
    ("source", "exit_code", "told"),
    [
        ("github:acme/repo", 2, "no place to import from"),
        ("github:acme/repo@v1/../x", 2, "no place to import from"),
        ("ftp://skills.test/.well-known/agent-skills", 2, "no place to import from"),
        ("http://skills.test/.well-known/agent-skills/index.json", 2, "is not https"),
        ("https://u:p@skills.test/.well-known/agent-skills/index.json", 2, "holds a login"),
        ("https://plain.test/.well-known/agent-skills/index.json", 2, "is not https"),
        ("https://loop.test/.well-known/agent-skills/index.json", 8, "without an end"),
        ("https://gone.test/.well-known/agent-skills/index.json", 6, "status 404"),
        ("https://busy.test/.well-known/agent-skills/index.json", 8, "answered 429"),
        ("https://old.test/.well-known/agent-skills/index.json", 3, "no index of Agent Skills"),
        ("https://text.test/.well-known/agent-skills/index.json", 3, "answers no JSON"),
        ("github:acme/nothing@v1", 3, "neither a .tar.gz nor a .zip"),
    ],
)
def test_a_source_that_cannot_be_used_is_refused(
    packyard: Command, source: str, exit_code: int, told: str
) -> None:
    below_host = "/.well-known/agent-skills/index.json"
    serve(packyard, f"https://plain.test{below_host}", None, 302, Location="http://plain.test/x")
    serve(packyard, f"https://loop.test{below_host}", None, 302, Location=f"https://loop.test{below_host}")
    serve(packyard, f"https://gone.test{below_host}", None, 404)
    serve(packyard, f"https://busy.test{below_host}", None, 429, Retry_After="30")
    serve(packyard, f"https://old.test{below_host}", {"skills": []})
    serve(packyard, f"https://text.test{below_host}", b"<html>")
    serve(packyard, "https://codeload.github.com/acme/nothing/tar.gz/v1", b"<html>")

    document = imported(packyard, source, exit_code=exit_code)

    assert told in document["error"]["message"]


def test_a_folder_of_skills_a_plugin_and_a_tarball_are_pushed_as_they_are(
    packyard: Command, tmp_path: Path
) -> None:
    skills = write(tmp_path / "skills", below("pdf", skill("pdf")) | below("docx", skill("docx")))
    plugin = write(
        tmp_path / "plugin",
        {".claude-plugin/plugin.json": json.dumps({"name": "office"}).encode(), "commands/x.md": b"x\n"}
        | below("skills/xlsx", skill("xlsx")),
    )
    archive = tmp_path / "repo.tar.gz"
    archive.write_bytes(tarball(below("repo-1", below("skills/pptx", skill("pptx")))))

    several = packyard("push", skills, "--json")
    one = packyard("push", plugin, "--json")
    unpacked = packyard("push", archive, "--json")
    none = packyard("push", write(tmp_path / "none", {"README.md": b"x"}), "--json")

    assert [pack["pack"]["name"] for pack in several.document["packs"]] == ["docx", "pdf"]
    assert one.document["pack"]["name"] == "xlsx"
    assert unpacked.document["pack"]["name"] == "pptx"
    assert contents(packyard, "pdf") == skill("pdf")
    assert (none.exit_code, "pack.yaml" in none.out) == (3, True)


def test_the_provenance_of_an_import_says_where_the_sender_has_it_from(
    packyard: Command, service: Service, tmp_path: Path
) -> None:
    attesting = Attesting(service)
    serve(packyard, "https://codeload.github.com/acme/repo/tar.gz/v1", tarball(below("r/a", skill("one"))))
    archive = zipped(skill("two"))
    entry = {"name": "two", "type": "archive", "description": "x", "url": "/two.zip"}
    entry["digest"] = f"sha256:{sha256(archive).hexdigest()}"
    secret = "https://skills.test/f/secret/.well-known/agent-skills/index.json"
    serve(packyard, secret, {"$schema": SCHEMA, "skills": [entry]})
    serve(packyard, "https://skills.test/two.zip", archive)

    packs = [
        *imported(packyard, "github:acme/repo@v1")["packs"],
        *imported(packyard, secret)["packs"],
        packyard("push", write(tmp_path / "x", skill("x")), "--json").document,
    ]
    attesting.carry()

    assert [_stated_source(attesting, pack["pack"]["id"]) for pack in packs] == [
        "github:acme/repo@v1/a",
        # The path of an index may be a secret.
        "https://skills.test/#two",
        None,
    ]


def _stated_source(attesting: Attesting, pack_id: str) -> str | None:
    statements = attesting.get(pack_id).body["statements"]
    bundle = next(each["bundle"] for each in statements if each["predicate_type"] == PROVENANCE)
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    source: str | None = statement["predicate"]["buildDefinition"]["externalParameters"].get("source")
    return source
