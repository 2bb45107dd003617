"""What the service offers of one pack for a download (API contract, section 8)."""

from packyard.oci.digest import parse_digest
from packyard_cli.failure import Exit, Failure
from packyard_cli.lock_document import LockedPack, checked_files, checked_layer
from packyard_cli.service import Service
from packyard_cli.standing import find_pack, pinned_reference


def offered_pack(service: Service, text: str, revision: int | None) -> LockedPack:
    """Return what the service offers of a pack for a download.

    Args:
        service: The service.
        text: The pack's id or name.
        revision: The revision; None for the present one.

    Raises:
        Failure: There is no such pack or revision, or the answer is not of the right kind.
    """
    standing = find_pack(service, text)
    query = {} if revision is None else {"revision": str(revision)}
    view = standing.view if revision is None else service.get(f"{standing.path}/revisions/{revision}").body
    offered = service.get(f"{standing.path}/download", query=query).body
    listed = service.get(f"{standing.path}/files", query=query).body["files"]
    try:
        return LockedPack(
            id=standing.id,
            folder=str(view["name"]),
            name=str(view["name"]),
            version=str(view["version"]),
            revision=revision or 0,
            image=pinned_reference(view),
            image_digest=parse_digest(str(offered["image_digest"])),
            layers=tuple(checked_layer(layer) for layer in offered["layers"]),
            files=checked_files(listed, content_digest=offered.get("content_digest")),
            status="active",
        )
    except (KeyError, TypeError, ValueError):
        raise Failure(Exit.UNAVAILABLE, "The service's answer about the download lacks something.") from None
