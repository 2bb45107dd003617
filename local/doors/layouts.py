"""Images in OCI layouts, copied by skopeo and unpacked by umoci."""

import json
from pathlib import Path
from typing import Any, Final

from local.doors.pack import ServedPack
from local.doors.trial import Room, require
from local.programs import program

_TAG: Final = "copied"


def copied(room: Room, source: str, name: str, *options: str) -> Path:
    """Return an OCI layout into which skopeo has copied an image, with all that its index names.

    Raises:
        DoorFailed: skopeo refused.
    """
    layout = room.folder / f"{name}-layout"
    room.run(program("skopeo"), "copy", "--quiet", "--all", *options, source, f"oci:{layout}:{_TAG}")
    return layout


def require_image(room: Room, layout: Path, pack: ServedPack) -> None:
    """Check that the image in a layout holds the files of a pack, and which of them are executable.

    Raises:
        DoorFailed: It does not.
    """
    unpacked, single = room.folder / f"{layout.name}-unpacked", room.folder / f"{layout.name}-single"
    # umoci wants one manifest under a tag, and not one for each processor.
    room.run(program("skopeo"), "copy", "--quiet", f"oci:{layout}:{_TAG}", f"oci:{single}:{_TAG}")
    room.run(program("umoci"), "unpack", "--rootless", "--image", f"{single}:{_TAG}", unpacked)
    pack.require_in(unpacked / "rootfs", modes=True)


def require_artifact(layout: Path, kind: str) -> Path:
    """Check that a layout holds an artifact of a type, with one layer, and return the layer.

    Raises:
        DoorFailed: It does not.
    """
    (entry,) = json.loads((layout / "index.json").read_bytes())["manifests"]
    manifest = _blob(layout, entry["digest"])
    require(
        manifest.get("artifactType") == kind, f"{layout} has an artifact of {manifest.get('artifactType')}"
    )
    (layer,) = manifest["layers"]
    return layout / "blobs" / str(layer["digest"]).replace(":", "/")


def manifest_digest(layout: Path) -> str:
    """Return the digest of the first manifest of the image in a layout."""
    document: Any = json.loads((layout / "index.json").read_bytes())
    (entry,) = document["manifests"]
    while "manifests" in (document := _blob(layout, entry["digest"])):
        entry = document["manifests"][0]
    return str(entry["digest"])


def _blob(layout: Path, digest: str) -> Any:
    return json.loads((layout / "blobs" / digest.replace(":", "/")).read_bytes())
