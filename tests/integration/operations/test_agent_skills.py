"""Agent Skills as packs, through the real handlers (API contract, section 12, "An Agent Skill is a pack")."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
from tests.changes import archive_of, change
from tests.gateway import Answer, Request, multipart
from tests.service import ACME, PackArchive, Service
from tests.staged_uploads import upload as staged

HEAD = "---\nname: pdf-tools\ndescription: Work with PDF files.\n"
FILES = {"references/forms.md": b"# Forms\n", "assets/x.bin": b"\0" * 1000, "LICENSE.txt": b"MIT\n"}
REPOSITORY = f"packs/{ACME.org_id}/pdf-tools"


def skill(more: str = "", body: str = "# PDF\n", files: Mapping[str, bytes] | None = None) -> bytes:
    """Return the archive of a skill."""
    return archive_of(
        {**(FILES if files is None else files), "SKILL.md": f"{HEAD}{more}---\n{body}".encode()}
    )


def metadata(version: str) -> str:
    return f"metadata:\n  version: {version}\n"


def send(service: Service, archive: bytes, pack_id: str = "", **fields: str) -> Answer:
    """Post an archive as a new pack, or as the next of one."""
    dry_run = {"dry_run": "true"} if fields.pop("dry_run", "") else {}
    body, headers = multipart({"archive": archive, **{name: text.encode() for name, text in fields.items()}})
    path = f"/packs/{pack_id}/upload" if pack_id else "/packs/upload"
    request = Request(
        method="POST", resource=path, path=path, query=dry_run, headers=headers, body=body, caller=ACME
    )
    return service.request("reupload_pack" if pack_id else "upload_pack", request)


def made(service: Service, archive: bytes | None = None, **fields: str) -> dict[str, Any]:
    answer = send(service, skill() if archive is None else archive, **fields)
    assert answer.status == 201, answer.body
    body: dict[str, Any] = answer.body
    return body


def put(service: Service, pack_id: str, path: str, content: str) -> Answer:
    resource = f"/packs/{pack_id}/files/{path}"
    return service.request(
        "put_file",
        Request(
            method="PUT",
            resource=resource,
            path=resource,
            headers={"Content-Type": "application/octet-stream"},
            body=content.encode(),
            caller=ACME,
        ),
    )


def replace(service: Service, pack_id: str, **body: object) -> Answer:
    return service.send("replace_pack", "PUT", f"/packs/{pack_id}", json=body)


def annotations(service: Service, pack: Mapping[str, Any]) -> dict[str, str]:
    manifest = service.registry.shelves.repositories[REPOSITORY].manifests[pack["image_digest"]]
    found: dict[str, str] = json.loads(manifest.raw)["annotations"]
    return found


class TestANewSkill:
    def test_is_a_pack_with_every_file_under_its_own_path(self, service: Service) -> None:
        pack = made(service, skill("license: Apache-2.0\n" + metadata("1.2.0")))

        assert (pack["name"], pack["display_name"], pack["version"]) == ("pdf-tools", "pdf-tools", "1.2.0")
        assert pack["description"] == "Work with PDF files."
        assert "warnings" not in pack
        assert "capabilities" not in pack
        request = Request(method="GET", resource="/x", path=f"/packs/{pack['id']}/files", caller=ACME)
        listed = json.loads(service.invoke("list_files", request.event())["body"])
        assert {file["path"] for file in listed["files"]} == {*FILES, "SKILL.md"}
        assert annotations(service, pack) == {
            "org.opencontainers.image.title": "pdf-tools",
            "org.opencontainers.image.version": "1.2.0",
            "org.opencontainers.image.description": "Work with PDF files.",
            "org.opencontainers.image.licenses": "Apache-2.0",
        }

    @pytest.mark.parametrize(
        ("more", "field", "version"),
        [
            ("", "", "0.1.0"),
            ("", "2.0.0-rc.1", "2.0.0-rc.1"),
            (metadata("1.2.0"), "", "1.2.0"),
            (metadata("1.2.0"), "1.2.0", "1.2.0"),
        ],
    )
    def test_has_the_version_that_it_states_or_that_the_form_gives_or_the_first(
        self, service: Service, more: str, field: str, version: str
    ) -> None:
        pack = made(service, skill(more), **({"version": field} if field else {}))

        assert (pack["version"], pack.get("warnings")) == (version, None)
        assert pack["image_ref"].endswith(f":{version}")

    def test_that_states_a_version_is_not_given_another(self, service: Service) -> None:
        pack = made(service, skill(metadata("1.2.0")), version="2.0.0")

        assert pack["version"] == "1.2.0"
        assert pack["warnings"] == [
            "version 2.0.0 is not used, because SKILL.md states 1.2.0 in metadata.version"
        ]

    def test_that_breaks_the_specification_is_taken_with_warnings(self, service: Service) -> None:
        pack = made(service, skill("allowed-tools: [Read]\nwhen_to_use: always\n"))

        assert [warning.partition(" ")[0] for warning in pack["warnings"]] == [
            "SKILL.md:when_to_use",
            "SKILL.md:allowed-tools",
        ]
        assert "warnings" not in service.get(pack["id"]).body

    def test_that_nobody_could_be_served_is_refused(self, service: Service) -> None:
        answer = send(service, archive_of({"SKILL.md": b"# PDF\n"}))

        assert (answer.status, set(answer.fields)) == (400, {"SKILL.md"})

    def test_comes_by_the_staged_way_too(self, service: Service) -> None:
        ended = staged(service, skill("effort: high\n"), version="3.0.0").body

        assert (ended["status"], len(ended["warnings"])) == ("done", 1)
        assert service.get(ended["pack_id"]).body["version"] == "3.0.0"
        # The repeat of an upload that changes nothing says so too.
        again = staged(service, skill("effort: high\n"), pack_id=ended["pack_id"]).body
        assert again["warnings"] == ended["warnings"]

    @pytest.mark.parametrize("version", ["1.0", "v1", ""])
    def test_takes_no_version_that_is_none(self, service: Service, version: str) -> None:
        assert send(service, skill(), version=version).fields.keys() == {"version"}

    def test_a_pack_that_states_its_version_takes_no_other(self, service: Service) -> None:
        answer = send(service, PackArchive().build(), version="2.0.0")

        assert answer.fields == {
            "version": "must be 1.4.0, which pack.yaml states; change it there, and leave this field out"
        }
        assert send(service, PackArchive().build(), version="1.4.0").status == 201

    def test_may_come_as_a_zip_in_one_request_and_by_the_staged_way(self, service: Service) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in {**FILES, "SKILL.md": f"{HEAD}---\n# PDF\n".encode()}.items():
                archive.writestr(zipfile.ZipInfo(f"pdf-tools/{path}"), content)

        pack = made(service, out.getvalue())
        ended = staged(service, out.getvalue(), pack_id=pack["id"], version="0.2.0").body

        assert ended["status"] == "done", ended
        after = service.get(pack["id"]).body
        assert (after["version"], after["content_digest"]) == ("0.2.0", pack["content_digest"])
        # The same files as a tar are the same content.
        assert send(service, skill(), pack["id"]).body["image_digest"] == after["image_digest"]

    def test_is_tried_without_being_kept(self, service: Service) -> None:
        outcome = send(service, skill("effort: high\n"), dry_run="true").body

        assert (outcome["outcome"], outcome["pack"]["version"]) == ("created", "0.1.0")
        assert len(outcome["warnings"]) == 1
        assert service.images() == {}


class TestTheNextOfASkill:
    def test_gets_the_next_patch(self, service: Service) -> None:
        pack = made(service)

        second = send(service, skill(body="# other\n"), pack["id"])
        third = send(service, skill(body="# third\n"), pack["id"], version="1.0.0")

        assert (second.status, second.body["version"]) == (200, "0.1.1")
        assert third.body["version"] == "1.0.0"

    def test_of_equal_content_changes_nothing(self, service: Service) -> None:
        pack = made(service, version="1.0.0")

        again = send(service, skill(), pack["id"])
        renamed = send(service, skill(), pack["id"], version="1.0.1")

        assert again.body == pack
        assert (renamed.body["version"], renamed.body["content_digest"]) == ("1.0.1", pack["content_digest"])

    def test_is_never_under_a_version_that_the_pack_has_had(self, service: Service) -> None:
        pack = made(service)
        send(service, skill(body="# other\n"), pack["id"])
        back = replace(service, pack["id"], revision=1).body

        after = send(service, skill(body="# third\n"), pack["id"]).body

        assert (back["version"], after["version"]) == ("0.1.0", "0.1.2")

    def test_keeps_the_name(self, service: Service) -> None:
        pack = made(service)
        other = archive_of({"SKILL.md": (HEAD + "---\n").replace("pdf-tools", "pdf").encode()})

        assert send(service, other, pack["id"]).fields.keys() == {"SKILL.md:name"}

    def test_may_be_a_pack_and_a_skill_again(self, service: Service) -> None:
        pack = made(service)

        as_pack = send(service, PackArchive(name="pdf-tools", version="0.2.0").build(), pack["id"])
        again = send(service, skill(), pack["id"])

        assert (as_pack.body["version"], again.body["version"]) == ("0.2.0", "0.2.1")

    def test_goes_back_to_a_revision_with_the_version_that_it_had(self, service: Service) -> None:
        pack = made(service, skill("license: MIT\n"), version="1.0.0")
        send(service, skill(body="# other\n"), pack["id"])

        back = replace(service, pack["id"], revision=1)

        assert (back.status, back.body["version"]) == (200, "1.0.0")
        assert back.body["image_digest"] == pack["image_digest"]


class TestFilesOfASkill:
    def test_may_have_any_name_at_the_root(self, service: Service) -> None:
        pack = made(service, skill("license: MIT\n"))

        written = put(service, pack["id"], "Dockerfile", "FROM scratch\n")
        changed = change(service, pack["id"], {"examples/a.md": b"a", "AGENTS.md": b"b"}, ["LICENSE.txt"])

        assert (written.status, written.body["version"]) == (200, "0.1.0")
        assert (changed.status, changed.body["version"]) == (200, "0.1.0")
        assert annotations(service, changed.body)["org.opencontainers.image.licenses"] == "MIT"

    def test_a_new_skill_file_is_checked_and_says_what_the_pack_is(self, service: Service) -> None:
        pack = made(service)

        written = put(service, pack["id"], "SKILL.md", HEAD.replace("Work", "Play") + "effort: high\n---\n")
        refused = put(service, pack["id"], "SKILL.md", "# no frontmatter\n")
        other_version = put(service, pack["id"], "SKILL.md", HEAD + metadata("9.0.0") + "---\n")
        other_name = put(service, pack["id"], "SKILL.md", (HEAD + "---\n").replace("pdf-tools", "pdf"))
        changed = change(service, pack["id"], {"SKILL.md": (HEAD + metadata("9.0.0") + "---\n").encode()})

        assert (written.body["description"], len(written.body["warnings"])) == ("Play with PDF files.", 1)
        assert refused.fields.keys() == {"SKILL.md"}
        assert other_version.fields.keys() == {"SKILL.md:metadata.version"}
        assert other_name.fields.keys() == {"SKILL.md:name"}
        assert (changed.status, changed.body["version"]) == (200, "9.0.0")

    def test_a_skill_stays_a_skill(self, service: Service) -> None:
        pack = made(service)
        manifest = b"name: pdf-tools\nversion: 0.1.0\n"

        assert put(service, pack["id"], "pack.yaml", manifest.decode()).fields.keys() == {"path"}
        assert change(service, pack["id"], {"pack.yaml": manifest}).fields.keys() == {"archive:pack.yaml"}
        assert change(service, pack["id"], None, ["SKILL.md"]).fields.keys() == {"delete:SKILL.md"}
        wrapped = change(service, pack["id"], {"pdf-tools/SKILL.md": HEAD.encode() + b"---\n"})
        assert wrapped.fields["archive:pdf-tools"].startswith("is a folder around the files")

    def test_a_pack_stays_a_pack(self, service: Service) -> None:
        pack = service.upload(PackArchive().build()).body
        content = HEAD.replace("pdf-tools", "slack") + "---\n"

        assert put(service, pack["id"], "SKILL.md", content).fields.keys() == {"path"}
        assert put(service, pack["id"], "Dockerfile", "x").fields.keys() == {"path"}
        answer = change(service, pack["id"], {"SKILL.md": content.encode(), "Dockerfile": b"x"})
        assert answer.fields.keys() == {"archive:SKILL.md", "archive:Dockerfile"}


class TestASkillInARegistry:
    def test_is_registered_under_the_version_of_its_image(self, service: Service) -> None:
        pack = made(service, skill("effort: high\n"), version="1.0.0")
        assert service.delete(pack["id"]).status == 200

        service.time_passes()
        again = made(service, skill("effort: high\n"), version="1.0.0")
        answer = replace(service, again["id"], image_ref=again["image_ref"])

        assert (answer.status, answer.body["version"], len(answer.body["warnings"])) == (200, "1.0.0", 1)

    def test_is_cloned_under_another_name_and_goes_back_to_its_image(self, service: Service) -> None:
        pack = made(service, skill("license: MIT\n"), version="1.0.0")

        clone = service.clone(pack["id"], name="our-pdf").body
        edited = put(service, clone["id"], "notes.txt", "ours\n")
        back = replace(service, clone["id"], revision=1)

        assert (clone["name"], clone["version"], clone["display_name"]) == ("our-pdf", "1.0.0", "pdf-tools")
        assert (edited.status, back.status, back.body["version"]) == (200, 200, "1.0.0")
        assert back.body["image_digest"] == clone["image_digest"]
