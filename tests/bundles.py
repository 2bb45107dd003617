"""Bundles of roles, as section 12 of the API contract has them, made of the images of a fake registry."""

import io
import json
import tarfile
from collections.abc import Iterable
from typing import Any

from tests.service import Service

Member = tuple[str, bytes]


def bundle_members(service: Service, lock: dict[str, Any]) -> list[Member]:
    """Return the members of the bundle of a lock: the images and what refers to them, each blob once."""
    blobs: dict[str, bytes] = {}
    entries = []
    for pack in lock["packs"]:
        name = pack["image"].partition("/")[2].partition("@")[0]
        repository = service.registry.shelves.repository(name)
        # Everything of a repository: the image's documents and layers, and what is signed about it.
        for digest, manifest in repository.manifests.items():
            blobs[digest] = manifest.raw
            if manifest.subject == pack["image_digest"]:
                entries.append(
                    {"mediaType": manifest.media_type, "digest": digest, "size": len(manifest.raw)}
                )
        blobs.update((str(digest), content) for digest, content in repository.blobs.items())
        index = repository.manifest(pack["image_digest"])
        entries.append(
            {
                "mediaType": index.media_type,
                "digest": pack["image_digest"],
                "size": len(index.raw),
                "annotations": {"org.opencontainers.image.ref.name": pack["name"]},
            }
        )
    return [
        ("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'),
        ("index.json", json.dumps({"schemaVersion": 2, "manifests": entries}).encode()),
        ("lock.json", json.dumps(lock).encode()),
        *((f"blobs/{digest.replace(':', '/')}", content) for digest, content in sorted(blobs.items())),
    ]


def bundle_of(members: Iterable[Member]) -> bytes:
    """Return an archive of members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
