"""What the doors serve of one image: the document that a job makes once, beside the zip.

It is canonical JSON, so that two makers of the same write the same bytes. It can be made again from the image. So
whatever is wrong with one that is read back is one error, after which the reader has it made again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from packyard.doors.door import Door
from packyard.doors.skill_artifact import SkillArtifact, parse_artifact
from packyard.oci.digest import Digest, parse_digest

# One more when the document, or what it says, changes: a reader has any other made again.
FORM: Final = 2
SKILL_FILE: Final = "SKILL.md"


class ServedFile(NamedTuple):
    """A file of a pack.

    Attributes:
        path: In the pack.
        size: In bytes.
        sha256: Of its content, in hex.
        mode: Permission bits: 0o644 or 0o755.
    """

    path: str
    size: int
    sha256: str
    mode: int


class Zip(NamedTuple):
    """The zip of an image.

    Attributes:
        digest: `sha256:` and the SHA-256 of its bytes, in hex.
        size: Of the zip, in bytes.
        unpacked: What its members have together, in bytes.
    """

    digest: Digest
    size: int
    unpacked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedDocument:
    """What the doors serve of one image.

    Attributes:
        files: By path, the `SKILL.md` that was made of the pack included.
        frontmatter: Of the `SKILL.md`; empty if it has none that can be read.
        skill_md: The `SKILL.md` if it was made of the pack; None if the pack brings one.
        zip: The zip; None if no door could serve one.
        artifact: The skill artifact; None if there is none.
        unfit: The doors whose client would choke on the pack, each with the reason.
        warnings: What breaks the Agent Skills specification, and stops no door.
    """

    files: tuple[ServedFile, ...]
    frontmatter: Mapping[str, Any] = field(default_factory=dict)
    skill_md: str | None = None
    zip: Zip | None = None
    artifact: SkillArtifact | None = None
    unfit: Mapping[Door, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def find(self, path: str) -> ServedFile | None:
        """Return the file of this path, if there is one."""
        return next((file for file in self.files if file.path == path), None)

    def to_bytes(self) -> bytes:
        """Return the document."""
        fields = {
            "form": FORM,
            "files": self.files,
            "frontmatter": self.frontmatter,
            "skill_md": self.skill_md,
            "zip": None if self.zip is None else self.zip._asdict(),
            "artifact": None if self.artifact is None else self.artifact.fields(),
            "unfit": self.unfit,
            "warnings": self.warnings,
        }
        return canonical_json(fields)


def parse_document(content: bytes) -> ServedDocument:
    """Return the document of bytes that `to_bytes` has returned.

    Raises:
        ValueError: They are not such bytes, or of another form.
    """
    try:
        fields = json.loads(content)
        if fields["form"] != FORM:
            raise ValueError("a document of another form")
        found, artifact = fields["zip"], fields["artifact"]
        return ServedDocument(
            files=tuple(ServedFile(*file) for file in fields["files"]),
            frontmatter=fields["frontmatter"],
            skill_md=fields["skill_md"],
            zip=None
            if found is None
            else Zip(parse_digest(found["digest"]), found["size"], found["unpacked"]),
            artifact=None if artifact is None else parse_artifact(artifact),
            unfit={Door(door): reason for door, reason in fields["unfit"].items()},
            warnings=tuple(fields["warnings"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a document of a served pack") from error


def canonical_json(value: Any) -> bytes:
    """Return a value as JSON with sorted keys, without white space, and with all text as it is."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
