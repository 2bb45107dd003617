"""The version of an Agent Skill whose `SKILL.md` states none (API contract, section 12, decision 134)."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from packyard.errors import InvalidRequest
from packyard.packs.manifest.root_file import MANIFEST_PATH
from packyard.packs.manifest.version import Version, version_after

if TYPE_CHECKING:
    from packyard.packs.manifest.pack_manifest import Manifest
    from packyard.packs.pack import Pack

# Of a new pack.
FIRST_VERSION: Final = Version("0.1.0")
# The request's field.
FIELD: Final = "version"


def with_version(manifest: "Manifest", *, given: Version | None, otherwise: Version) -> "Manifest":
    """Return a manifest with the version that it states, or else the one that the request gives, or else another.

    Args:
        manifest: What the archive says.
        given: What the request says; None for nothing.
        otherwise: The version if neither says one.

    Raises:
        InvalidRequest: On `version`: a `pack.yaml` states another version than the request.
    """
    if not manifest.version_is_stated:
        return replace(manifest, version=given or otherwise)
    if given is None or given == manifest.version:
        return manifest
    if manifest.file == MANIFEST_PATH:
        raise _stated_otherwise(manifest.version)
    unused = (
        f"{FIELD} {given} is not used, because {manifest.file} states {manifest.version} in metadata.version"
    )
    return replace(manifest, warnings=(*manifest.warnings, unused))


def require_stated_version(pack: "Pack", given: Version | None) -> None:
    """Check that a request gives no other version than the `pack.yaml` of a pack, which stays.

    Raises:
        InvalidRequest: On `version`: it does.
    """
    if given not in (None, pack.version):
        raise _stated_otherwise(pack.version)


def _stated_otherwise(version: Version) -> InvalidRequest:
    return InvalidRequest(
        {FIELD: f"must be {version}, which {MANIFEST_PATH} states; change it there, and leave this field out"}
    )


def next_version(pack: "Pack") -> Version:
    """Return the version of a skill's next content: the next patch after the highest version that the pack has had.

    A version that the pack has had before would name two contents.
    """
    return version_after(pack.highest_version or pack.version)
