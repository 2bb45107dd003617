"""The skill artifact of a pack: its documents and its layer."""

import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any, Final

import pytest

from packyard.doors.document import ServedDocument, ServedFile, parse_document
from packyard.doors.skill_artifact import SkillArtifact, parse_artifact, skill_artifact
from packyard.doors.skill_layer import write_layer
from packyard.oci.digest import digest_of

FRONTMATTER: Final[dict[str, Any]] = {
    "name": "pdf-tools",
    "description": "Work with PDF files. Caf\u00e9.",
    "license": "MIT",
    "compatibility": "Needs Python 3.",
    "allowed-tools": "Read Grep",
    "metadata": {"author": "acme", "version": "1.0"},
}
CONTENTS: Final = {"SKILL.md": b"# PDF\n", "a/run.sh": b"#!/bin/sh\n", "empty": b"", "z/big": bytes(3 << 20)}
FILES: Final = tuple(
    ServedFile(path, len(content), digest_of(content)[7:], 0o755 if path.endswith(".sh") else 0o644)
    for path, content in CONTENTS.items()
)


def artifact(**changes: Any) -> SkillArtifact:
    return skill_artifact(FRONTMATTER | changes, version="1.2.0", digest=digest_of(b"layer"), size=5)


def layer(step: int, files: tuple[ServedFile, ...] = FILES) -> tuple[str, bytes]:
    def contents(file: ServedFile) -> Iterator[bytes]:
        content = CONTENTS[file.path]
        return (content[start : start + step] for start in range(0, len(content), step))

    target = io.BytesIO()
    digest, size = write_layer(target, files, contents, folder="pdf-tools")
    assert (digest, size) == (digest_of(target.getvalue()), len(target.getvalue()))
    return digest, target.getvalue()


def test_the_documents_say_what_clients_that_know_skills_look_for() -> None:
    made = artifact()

    assert json.loads(made.config.raw) == {
        "schemaVersion": "1",
        "name": "pdf-tools",
        "version": "1.2.0",
        "description": "Work with PDF files. Caf\u00e9.",
        "license": "MIT",
        "compatibility": "Needs Python 3.",
        "metadata": {"author": "acme", "version": "1.0"},
    }
    manifest = json.loads(made.manifest.raw)
    assert manifest["artifactType"] == "application/vnd.agentskills.skill.v1"
    assert manifest["config"] == {
        "mediaType": "application/vnd.agentskills.skill.config.v1+json",
        "digest": digest_of(made.config.raw),
        "size": len(made.config.raw),
    }
    assert manifest["layers"] == [
        {
            "mediaType": "application/vnd.agentskills.skill.content.v1.tar+gzip",
            "digest": digest_of(b"layer"),
            "size": 5,
            "annotations": {"org.opencontainers.image.title": "pdf-tools.tar.gz"},
        }
    ]
    assert manifest["annotations"] == {
        "org.opencontainers.image.title": "pdf-tools",
        "org.opencontainers.image.version": "1.2.0",
        "org.opencontainers.image.description": "Work with PDF files. Caf\u00e9.",
        "org.opencontainers.image.licenses": "MIT",
        "io.agentskills.skill.name": "pdf-tools",
        "io.agentskills.skill.compatibility": "Needs Python 3.",
    }


@pytest.mark.parametrize("given", [5, None, ["MIT"], {}])
def test_what_a_client_would_read_as_another_type_is_left_to_the_skill_md(given: Any) -> None:
    made = artifact(license=given, compatibility=given, metadata=[given])

    assert set(json.loads(made.config.raw)) == {"schemaVersion", "name", "version", "description"}
    assert "org.opencontainers.image.licenses" not in json.loads(made.manifest.raw)["annotations"]


def test_a_document_gives_the_artifact_back_byte_for_byte() -> None:
    made = artifact()

    assert parse_artifact(made.fields()) == made
    for kept in (made, None):
        document = ServedDocument(files=FILES, artifact=kept)
        assert parse_document(document.to_bytes()) == document


@pytest.mark.parametrize(
    "change", [{"manifest": "{}"}, {"manifest": "x"}, {"manifest": '{"layers":[1]}'}, {"config": None}]
)
def test_a_document_with_something_else_is_none(change: dict[str, Any]) -> None:
    fields = json.loads(ServedDocument(files=FILES, artifact=artifact()).to_bytes())
    fields["artifact"] |= change

    with pytest.raises(ValueError):  # noqa: PT011 - any: it is then made again
        parse_document(json.dumps(fields).encode())


def test_the_layer_is_one_folder_of_the_skill_s_name_and_the_same_bytes_each_time() -> None:
    digest, content = layer(1 << 20)

    assert layer(999_983) == layer(1 << 20, tuple(reversed(FILES))) == (digest, content)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        members = archive.getmembers()
        found = {member.name: taken.read() for member in members if (taken := archive.extractfile(member))}
    assert found == {f"pdf-tools/{path}": content for path, content in CONTENTS.items()}
    assert members[0].name == "pdf-tools"
    assert members[0].isdir()
    assert {member.name: member.mode for member in members if member.isfile()} == {
        f"pdf-tools/{file.path}": file.mode for file in FILES
    }
    assert {(member.mtime, member.uid, member.gid) for member in members} == {(0, 0, 0)}


def test_a_content_of_another_size_than_was_said_is_no_layer() -> None:
    with pytest.raises(ValueError, match="size"):
        layer(1 << 20, (FILES[0]._replace(size=1),))
