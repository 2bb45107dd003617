"""Telling whether a fake registry has all of an image."""

import json
from typing import Any

from tests.fake_registry.shelves import Repository

from packyard.oci.digest import Digest


def assert_whole(repository: Repository, digest: str) -> None:
    """Check that a repository has an image with all of its platforms, and every blob of each."""
    document: dict[str, Any] = json.loads(repository.manifest(digest).raw)
    for entry in document.get("manifests", ()):
        assert_whole(repository, entry["digest"])
    named = (document["config"], *document["layers"]) if "config" in document else ()
    assert {Digest(part["digest"]) for part in named} <= repository.blobs.keys()
