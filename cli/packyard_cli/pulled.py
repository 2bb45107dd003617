"""The record of a pack that was pulled without a role: what `verify` compares its files with.

It lies beside the pack's files, and has the form of a pack in a lock document (API contract, section 8).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from packyard.oci.content_digest import content_digest_of
from packyard.oci.digest import parse_digest
from packyard_cli.failure import Exit, Failure
from packyard_cli.lock_document import LockedPack, checked_files, checked_layer

PULL_FILE: Final = "packyard.pull"
# What is kept of proofs (`proof_record`).
RECORD_FOLDER: Final = ".packyard"
_VERSION: Final = 1


def pull_record(pack: LockedPack) -> bytes:
    """Return the record of a pack as JSON.

    Raises:
        Failure: The pack has a file of that name.
    """
    roots = {file.path.split("/")[0].casefold() for file in pack.files}
    for taken in sorted(roots & {PULL_FILE, RECORD_FOLDER}):
        raise Failure(
            Exit.UNFIT_NAME,
            f"The pack has a {taken} of its own, where packyard pull notes what it has fetched.",
            "Attach the pack to a role, and install that: its packs are in folders of their own.",
        )
    record = {
        "pull_version": _VERSION,
        "pack": {
            "id": pack.id,
            "name": pack.name,
            "version": pack.version,
            "revision": pack.revision,
            "image": pack.image,
            "image_digest": pack.image_digest,
            "content_digest": content_digest_of(pack.files),
            "layers": [
                {"digest": layer.digest, "size": layer.size, "media_type": layer.media_type}
                for layer in pack.layers
            ],
            "files": [
                {
                    "path": file.path,
                    "size": file.size,
                    "mode": f"{file.mode:04o}",
                    "digest": f"sha256:{file.sha256}",
                }
                for file in pack.files
            ],
        },
    }
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def read_pull_record(folder: Path) -> LockedPack:
    """Return the pack that was pulled into a folder.

    Raises:
        Failure: The record is damaged.
        FileNotFoundError: There is none.
    """
    try:
        document = json.loads((folder / PULL_FILE).read_bytes())
        if document["pull_version"] != _VERSION:
            raise Failure(
                Exit.LOCK,
                f"{folder / PULL_FILE} has version {document['pull_version']}, which this command does not know.",
                "Install a newer packyard.",
            )
        return _pack(document["pack"])
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise Failure(
            Exit.LOCK,
            f"{folder / PULL_FILE} is no record of a pull.",
            f"Pull the pack again: packyard pull PACK --into {folder}",
        ) from None


def _pack(pack: Mapping[str, Any]) -> LockedPack:
    return LockedPack(
        id=str(pack["id"]),
        folder="",
        name=str(pack["name"]),
        version=str(pack["version"]),
        revision=int(pack["revision"]),
        image=str(pack.get("image", "")),
        image_digest=parse_digest(str(pack["image_digest"])),
        layers=tuple(checked_layer(layer) for layer in pack["layers"]),
        files=checked_files(pack["files"], content_digest=str(pack["content_digest"])),
        status="active",
    )
