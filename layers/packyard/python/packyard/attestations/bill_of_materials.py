"""What is in an image: a CycloneDX 1.6 bill of materials, with each file's digest and the packages that files name."""

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from packyard.attestations.dependencies import Dependencies
from packyard.attestations.provenance import repository_name
from packyard.attestations.statement import BILL_OF_MATERIALS, Statement
from packyard.oci.read.file_index import FileIndex
from packyard.packs.pack import Pack
from packyard.packs.timestamp import format_timestamp

if TYPE_CHECKING:
    from packyard.attestations.package_url import Package

_WANTED: Final = "packyard:wanted"
_NAMED_IN: Final = "packyard:named-in"
_NOT_READ: Final = "packyard:not-read"
_FILES: Final = "packyard:files"
# The most files whose names the bill repeats for one package, and of those that were not read.
_MAX_NAMED: Final = 20


def bill_of_materials(pack: Pack, index: FileIndex, dependencies: Dependencies, *, at: datetime) -> Statement:
    """Return the statement of what is in a pack's image.

    Args:
        pack: The pack at the revision that has the image.
        index: The image's files.
        dependencies: The packages that some of these files name. They are not in the image.
        at: When the pack got the image, in UTC.
    """
    subject = f"{pack.id}@{pack.image_digest}"
    predicate: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        # Equal content of one pack gives an equal bill, so its number follows from both.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'packyard:{subject}')}",
        "version": 1,
        "metadata": {
            "timestamp": format_timestamp(at),
            "tools": {"components": [{"type": "application", "name": "packyard"}]},
            "component": {
                "type": "container",
                "bom-ref": "image",
                "name": pack.name,
                "version": pack.version,
                "purl": _image_purl(pack),
                "hashes": [_hash(pack.image_digest.partition(":")[2])],
            },
        },
        "components": [
            *({"type": "file", "name": file.path, "hashes": [_hash(file.sha256)]} for file in index.files),
            *_packages(dependencies),
        ],
        # Files are complete. Which packages a program needs beside those that files name is not known.
        "compositions": [{"aggregate": "incomplete", "assemblies": ["image"]}],
    }
    properties = [{"name": _FILES, "value": str(len(index.files))}]
    properties += [{"name": _NOT_READ, "value": path} for path in dependencies.left_out[:_MAX_NAMED]]
    predicate["properties"] = properties
    return Statement(
        subjects=(pack.image_digest,),
        name=repository_name(pack),
        predicate_type=BILL_OF_MATERIALS,
        predicate=predicate,
    )


def _packages(dependencies: Dependencies) -> Iterator[dict[str, Any]]:
    """Yield each package once, with the files that name it."""
    paths: dict[Package, list[str]] = {}
    for named in dependencies.named:
        paths.setdefault(named.package, []).append(named.path)
    for package, files in paths.items():
        component: dict[str, Any] = {"type": "library", "name": package.name}
        if package.version:
            component["version"] = package.version
        component["purl"] = package.purl
        wanted = [{"name": _WANTED, "value": package.wanted}] if package.wanted else []
        component["properties"] = [
            *wanted,
            *({"name": _NAMED_IN, "value": path} for path in files[:_MAX_NAMED]),
        ]
        yield component


def _image_purl(pack: Pack) -> str:
    """Return the image's package URL (purl-spec, "oci": the name is the last part of the repository)."""
    repository = repository_name(pack)
    name = repository.rpartition("/")[2]
    return f"pkg:oci/{name}@{quote(pack.image_digest, safe='')}?repository_url={quote(repository, safe='')}"


def _hash(sha256: str) -> dict[str, str]:
    return {"alg": "SHA-256", "content": sha256}
