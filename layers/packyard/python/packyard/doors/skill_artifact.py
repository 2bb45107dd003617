"""A pack as the community's artifact for Agent Skills: what clients of OCI registries that know skills pull.

There is a draft and no standard (agentskills/agentskills #290). What its clients agree on is kept to: the artifact's
type, a config that repeats the frontmatter, and one layer, a tar in gzip whose only folder has the skill's name. The
layer has a title, under which `oras pull` writes it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest, digest_of, parse_digest
from packyard.oci.document import Document
from packyard.oci.media_types import MANIFEST

ARTIFACT_TYPE: Final = "application/vnd.agentskills.skill.v1"
CONFIG_TYPE: Final = "application/vnd.agentskills.skill.config.v1+json"
CONTENT_TYPE: Final = "application/vnd.agentskills.skill.content.v1.tar+gzip"
_OCI: Final = "org.opencontainers.image"
_SKILL: Final = "io.agentskills.skill"
_SCHEMA: Final = "1"
# The frontmatter's `allowed-tools` is one text, and the config's `allowedTools` a list. How to divide the one into the
# other is not said, so it is left to the SKILL.md.
_TEXTS: Final = ("license", "compatibility")


class NoArtifact(Exception):
    """There is no skill artifact of an image. The message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillArtifact:
    """A skill artifact.

    Attributes:
        manifest: Its manifest.
        config: What the manifest names as its config.
        layer: What the manifest names as its only layer.
    """

    manifest: Document
    config: Document
    layer: Descriptor

    def fields(self) -> dict[str, str]:
        """Return what `parse_artifact` makes an equal one of: its documents, byte for byte."""
        return {"manifest": self.manifest.raw.decode(), "config": self.config.raw.decode()}


def tag_of(tag: str | None) -> str:
    """Return the tag of an image's skill artifact.

    Args:
        tag: The image's own. Each image in our registry has one.
    """
    return f"skill-{tag}"


def skill_artifact(
    frontmatter: Mapping[str, Any], *, version: str, digest: Digest, size: int
) -> SkillArtifact:
    """Return the artifact of a skill. The same arguments give the same bytes.

    Args:
        frontmatter: Of its `SKILL.md`. Its name and description are texts.
        version: Of the pack.
        digest: Of the layer.
        size: Of the layer, in bytes.
    """
    name, description = frontmatter["name"], frontmatter["description"]
    texts = {key: value for key in _TEXTS if isinstance(value := frontmatter.get(key), str)}
    stated = {"schemaVersion": _SCHEMA, "name": name, "version": version, "description": description, **texts}
    metadata = frontmatter.get("metadata")
    if isinstance(metadata, dict):
        stated["metadata"] = metadata
    config = Document.of(CONFIG_TYPE, stated)
    layer = Descriptor(CONTENT_TYPE, digest, size)
    annotations = {
        f"{_OCI}.title": name,
        f"{_OCI}.version": version,
        f"{_OCI}.description": description,
        f"{_SKILL}.name": name,
    }
    for key, annotation in zip(_TEXTS, (f"{_OCI}.licenses", f"{_SKILL}.compatibility"), strict=True):
        if key in texts:
            annotations[annotation] = texts[key]
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": ARTIFACT_TYPE,
        "config": config.descriptor(),
        "layers": [
            {
                "mediaType": CONTENT_TYPE,
                "digest": digest,
                "size": size,
                "annotations": {f"{_OCI}.title": f"{name}.tar.gz"},
            }
        ],
        "annotations": annotations,
    }
    return SkillArtifact(manifest=Document.of(MANIFEST, manifest), config=config, layer=layer)


def parse_artifact(fields: Mapping[str, str]) -> SkillArtifact:
    """Return the artifact of what `SkillArtifact.fields` has returned.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: It is not that.
    """
    manifest, config = fields["manifest"].encode(), fields["config"].encode()
    (layer,) = json.loads(manifest)["layers"]
    return SkillArtifact(
        manifest=Document(MANIFEST, manifest, digest_of(manifest)),
        config=Document(CONFIG_TYPE, config, digest_of(config)),
        layer=Descriptor(CONTENT_TYPE, parse_digest(layer["digest"]), layer["size"]),
    )
