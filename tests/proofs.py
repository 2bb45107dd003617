"""Statements about a small image, and what is expected of it."""

import hashlib
from dataclasses import replace
from typing import Any, Final

from tests.packs import NOW, ORG, a_pack
from tests.signing import FakeSigner, signed_bundle

from packyard.attestations.bill_of_materials import bill_of_materials
from packyard.attestations.dependencies import Dependencies
from packyard.attestations.proof import Expected
from packyard.attestations.provenance import Origin, provenance, repository_name
from packyard.attestations.statement import Statement
from packyard.oci.digest import digest_of
from packyard.oci.read.file_index import FileIndex, IndexedFile

OWNER: Final = ORG
FILES: Final = {"guides/post.md": b"# Post\n", "pack.yaml": b"name: pack-1\nversion: 1.0.0\n"}
_SHA256: Final = {path: hashlib.sha256(content).hexdigest() for path, content in FILES.items()}
PACK: Final = replace(a_pack(), archive_digest=digest_of(b"an archive"))
EXPECTED: Final = Expected(
    pack_id=PACK.id,
    repository=repository_name(PACK),
    version=str(PACK.version),
    image_digest=PACK.image_digest,
    files=_SHA256,
)


def a_provenance(**origin: Any) -> Statement:
    """Return the provenance of the image."""
    facts = Origin(**{"operation": "upload", "at": NOW, "request_id": "r-1", **origin})
    return provenance(PACK, facts, builder="https://packyard.test")


def a_bill() -> Statement:
    """Return the image's bill of materials."""
    files = tuple(IndexedFile(path, len(content), 0o644, _SHA256[path], 0) for path, content in FILES.items())
    return bill_of_materials(PACK, FileIndex((), files), Dependencies((), ()), at=NOW)


def bundle_of(signer: FakeSigner, statement: Statement) -> bytes:
    """Return a bundle of a statement."""
    return signed_bundle(signer, statement).to_bytes()
