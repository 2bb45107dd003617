"""The lock document: what an agent's runtime needs of a role (API contract, section 8). `docs/lock` has its schema.

It is canonical JSON (RFC 8785): keys sorted, no white space, text as it is. Its only numbers are whole ones below 2^53,
which canonical JSON writes as Python does. So equal roles have equal bytes, which a runtime can sign or compare.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from packyard.oci.reference import parse_reference
from packyard.packs.image_state import ImageStatus
from packyard.packs.pack import Layer
from packyard.packs.role import Pin, Role

LOCK_VERSION: Final = 1


class LockedFile(NamedTuple):
    """A file of a pack.

    Attributes:
        path: In the pack.
        size: In bytes.
        mode: `0644` or `0755`.
        digest: `sha256:` and the SHA-256 of its content, in hex.
    """

    path: str
    size: int
    mode: str
    digest: str


class LockedPack(NamedTuple):
    """A pack of a role, with what a runtime needs of its image.

    Attributes:
        pin: Where the role holds it.
        layers: Of the image, from the lowest up.
        capabilities: The pack's caps.yaml fragment, as YAML text; None if it has none.
        files: Its files by path; None if they are not to be in the document, or have not been read.
        status: Of the image.
    """

    pin: Pin
    layers: Sequence[Layer]
    capabilities: str | None
    files: Sequence[LockedFile] | None = None
    status: ImageStatus = ImageStatus.ACTIVE


def lock_document(role_id: str, revision: int, packs: Sequence[LockedPack]) -> bytes:
    """Return the lock document of a role, in canonical JSON.

    Args:
        role_id: The role.
        revision: The role's.
        packs: The role's packs, in its order.
    """
    document = {
        "lock_version": LOCK_VERSION,
        "role_id": role_id,
        "revision": revision,
        "packs": [_pack(pack) for pack in packs],
        "set_digest": set_digest((pack.pin.pack_id, pack.pin.image_digest) for pack in packs),
    }
    # RFC 8785 sorts keys by UTF-16 code units. All keys here are ASCII, so Python's order is the same.
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def lock_tag(role: Role, *, with_files: bool) -> str | None:
    """Return the entity tag of a role's lock document, without quotes; None for a role that has packs without a pin.

    What a pinned revision is never changes, but its image may be withdrawn, restored or deleted. So the role's revision
    and its marks decide the document.

    Args:
        role: The role.
        with_files: Whether the document lists files.
    """
    if any(pack_id not in role.pins for pack_id in role.pack_ids):
        return None
    marked = {
        pin.pack_id: status
        for pin in role.pins.values()
        if (status := role.marked(pin)) is not ImageStatus.ACTIVE
    }
    return f"{LOCK_VERSION}.{role.revision}{_named(marked)}{'.files' if with_files else ''}"


def _named(marked: Mapping[str, ImageStatus]) -> str:
    """Return what names the images that are withdrawn or deleted, for the entity tag; empty for none."""
    if not marked:
        return ""
    lines = "".join(f"{pack_id}\0{status}\n" for pack_id, status in sorted(marked.items()))
    return f".{hashlib.sha256(lines.encode()).hexdigest()[:16]}"


def set_digest(images: Iterable[tuple[str, str]]) -> str:
    """Return what names a set of packs and images: `sha256:` and the SHA-256 of `id NUL image_digest LF`, sorted by id.

    Args:
        images: The id of each pack and the digest of its image, in any order.
    """
    lines = "".join(f"{pack_id}\0{digest}\n" for pack_id, digest in sorted(images))
    return f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"


def _pack(pack: LockedPack) -> dict[str, Any]:
    pin = pack.pin
    reference = parse_reference(pin.image_ref)
    fields: dict[str, Any] = {
        "id": pin.pack_id,
        "name": pin.name,
        "owner": pin.owner,
        "alias": pin.alias,
        "version": pin.version,
        "revision": pin.revision,
        "image": f"{reference.registry}/{reference.repository}@{pin.image_digest}",
        "image_digest": pin.image_digest,
        "layers": [layer._asdict() for layer in pack.layers],
        "content_digest": pin.content_digest,
        "files": None if pack.files is None else [file._asdict() for file in pack.files],
        "capabilities": pack.capabilities,
        "status": pack.status.value,
    }
    return {name: value for name, value in fields.items() if value is not None}
