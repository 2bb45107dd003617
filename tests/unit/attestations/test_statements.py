"""What statements say, and how their bundles are attached."""

import json
import tracemalloc
from dataclasses import replace

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from tests.packs import NOW, ORG, a_pack
from tests.signing import FakeSigner, signed_bundle

from packyard.attestations.bill_of_materials import bill_of_materials
from packyard.attestations.bundle import MAX_BYTES
from packyard.attestations.dependencies import Dependencies, dependencies_of
from packyard.attestations.provenance import Origin, provenance
from packyard.attestations.referrer import (
    EMPTY,
    index_with,
    index_without,
    referrer,
    referrers_tag,
)
from packyard.attestations.statement import PROVENANCE, parse_statement
from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import digest_of
from packyard.oci.document import Document
from packyard.oci.media_types import INDEX
from packyard.oci.read.file_index import FileIndex, IndexedFile

PACK = replace(a_pack(), archive_digest=digest_of(b"archive"), revision=3)
FILES = FileIndex(
    (), (IndexedFile("pack.yaml", 5, 0o644, "0" * 64, 0), IndexedFile("ü.md", 5, 0o644, "1" * 64, 0))
)
NAMED = dependencies_of([("requirements.txt", b"six==1.16.0\nhttpx>=0.27"), ("package.json", b"{")])
SUBJECT = Descriptor(INDEX, PACK.image_digest, 7)


def test_provenance_says_from_what_and_when_and_by_which_run_an_image_was_built() -> None:
    origin = Origin(operation="upload", at=NOW, request_id="r-1", ci={"repository": "o/r", "no text": 1})  # type: ignore[dict-item]

    statement = provenance(PACK, origin, builder="https://packyard.test")

    assert statement.subjects == (PACK.image_digest,)
    assert statement.name == f"registry.example.com/packs/{ORG}/pack-1"
    assert statement.predicate == {
        "buildDefinition": {
            "buildType": "https://packyard.dev/attestations/pack/v1",
            "externalParameters": {
                "operation": "upload",
                "pack": {"id": PACK.id, "owner": ORG, "name": "pack-1", "version": "1.0.0", "revision": 3},
                "ci": {"repository": "o/r"},
            },
            "resolvedDependencies": [
                {"name": "archive", "digest": {"sha256": digest_of(b"archive").removeprefix("sha256:")}}
            ],
        },
        "runDetails": {
            "builder": {"id": "https://packyard.test"},
            "metadata": {"invocationId": "r-1", "finishedOn": "2026-01-02T03:04:05.678Z"},
            "byproducts": [
                {
                    "name": "content_digest",
                    "digest": {"sha256": str(PACK.content_digest).removeprefix("sha256:")},
                }
            ],
        },
    }


def test_provenance_of_a_changed_image_names_the_image_that_was_changed() -> None:
    before = digest_of(b"before")
    pack = replace(PACK, archive_digest=None, content_digest=None, image_ref="localhost:5000/p/x:1.0.0")

    statement = provenance(pack, Origin(operation="edit", at=NOW, replaced=before), builder="b")

    definition = statement.predicate["buildDefinition"]
    assert definition["resolvedDependencies"] == [
        {
            "name": "image",
            "uri": f"oci://localhost:5000/p/x@{before}",
            "digest": {"sha256": before.removeprefix("sha256:")},
        }
    ]
    assert "ci" not in definition["externalParameters"]
    assert statement.predicate["runDetails"]["metadata"] == {"finishedOn": "2026-01-02T03:04:05.678Z"}


def test_provenance_names_no_person_and_no_key() -> None:
    statement = provenance(PACK, Origin(operation="upload", at=NOW), builder="b")

    assert "actor" not in statement.to_bytes().decode()


def test_the_bill_lists_each_file_with_its_digest_and_the_packages_that_files_name() -> None:
    statement = bill_of_materials(PACK, FILES, NAMED, at=NOW)

    bill = json.loads(json.dumps(statement.predicate))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    assert [(one["type"], one["name"], one.get("purl"), one.get("hashes")) for one in bill["components"]] == [
        ("file", "pack.yaml", None, [{"alg": "SHA-256", "content": "0" * 64}]),
        ("file", "ü.md", None, [{"alg": "SHA-256", "content": "1" * 64}]),
        ("library", "httpx", "pkg:pypi/httpx", None),
        ("library", "six", "pkg:pypi/six@1.16.0", None),
    ]
    assert bill["components"][2]["properties"] == [
        {"name": "packyard:wanted", "value": ">=0.27"},
        {"name": "packyard:named-in", "value": "requirements.txt"},
    ]
    assert bill["properties"] == [
        {"name": "packyard:files", "value": "2"},
        {"name": "packyard:not-read", "value": "package.json"},
    ]
    image = PackageURL.from_string(bill["metadata"]["component"]["purl"])
    assert (image.type, image.name, image.version) == ("oci", "pack-1", PACK.image_digest)


def test_equal_arguments_give_equal_statements() -> None:
    def made() -> bytes:
        return bill_of_materials(PACK, FILES, NAMED, at=NOW).to_bytes()

    assert made() == made()


def test_the_bill_of_20_000_files_with_the_longest_paths_fits_and_takes_bounded_memory() -> None:
    path = "é" * 500
    files = FileIndex(
        (), tuple(IndexedFile(f"{path}/{number:020}", 1, 0o644, "0" * 64, 0) for number in range(20_000))
    )
    tracemalloc.start()
    try:
        statement = bill_of_materials(PACK, files, Dependencies(), at=NOW)
        raw = signed_bundle(FakeSigner(), statement).to_bytes()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert len(raw) < MAX_BYTES
    # The largest are the statement, its base64 and the bundle at once. The function has 1,024 MB.
    assert peak < 250 << 20


def test_a_bundle_is_attached_by_a_manifest_with_bare_descriptors() -> None:
    statement = provenance(PACK, Origin(operation="upload", at=NOW), builder="b")
    raw = signed_bundle(FakeSigner(), statement).to_bytes()

    one = referrer(raw, subject=SUBJECT, predicate_type=PROVENANCE, at=NOW)

    body = json.loads(one.manifest.raw)
    assert body["artifactType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    # Amazon ECR refuses other members here (regclient #709, buildkit #5747).
    assert body["subject"] == {"mediaType": INDEX, "digest": PACK.image_digest, "size": 7}
    assert body["config"] == {
        "mediaType": "application/vnd.oci.empty.v1+json",
        "digest": digest_of(EMPTY),
        "size": 2,
    }
    [layer] = body["layers"]
    assert (layer["digest"], layer["size"]) == (digest_of(raw), len(raw))
    assert one.entry["digest"] == one.manifest.digest
    assert one.entry["artifactType"] == body["artifactType"]
    assert referrer(raw, subject=SUBJECT, predicate_type=PROVENANCE, at=NOW) == one


def entry(number: int) -> dict[str, object]:
    """Return an entry of an index."""
    return {"mediaType": "m", "digest": digest_of(str(number).encode()), "size": 1}


def listed(index: Document | None) -> list[str]:
    """Return the digests that an index lists."""
    assert index is not None
    return [one["digest"] for one in json.loads(index.raw)["manifests"]]


def test_an_index_of_referrers_keeps_what_others_have_added() -> None:
    theirs = Document.of(INDEX, {"manifests": [entry(1), entry(2)]})
    both = index_with(theirs, [entry(2), entry(3)])

    assert listed(both) == [entry(1)["digest"], entry(2)["digest"], entry(3)["digest"]]
    assert index_with(both, [entry(2), entry(3)]).digest == both.digest
    kept = index_without(both, [digest_of(b"2"), digest_of(b"3")])
    assert listed(kept) == [entry(1)["digest"]]
    assert index_without(index_with(None, [entry(3)]), [digest_of(b"3")]) is None


@pytest.mark.parametrize(
    "raw", [b"x", b"{}", b'{"manifests": 1}', b'{"manifests": [{"digest": "x"}]}', b"[]"]
)
def test_what_is_no_index_is_replaced(raw: bytes) -> None:
    assert listed(index_with(Document(INDEX, raw, digest_of(raw)), [entry(3)])) == [entry(3)["digest"]]


def test_the_tag_of_an_index_of_referrers_is_the_one_of_the_distribution_specification() -> None:
    assert referrers_tag(digest_of(b"")) == (
        "sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


def test_a_statement_is_read_back_as_it_was() -> None:
    statement = bill_of_materials(PACK, FILES, NAMED, at=NOW)

    assert parse_statement(statement.to_bytes()).to_bytes() == statement.to_bytes()
