"""What the ledger says of statements, as items of the table. They are beside the pack's history, and stay with it."""

from base64 import b64decode, b64encode
from typing import Any

from packyard.attestations.bundle import MEDIA_TYPE
from packyard.attestations.provenance import Origin
from packyard.attestations.record import AttestationRecord, RecordStatus, SignedStatement
from packyard.oci.descriptor import Descriptor
from packyard.oci.digest import Digest
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.store.keys import attestations_key
from packyard.store.pack_items import digest_attribute
from packyard.store.wire import Item


def to_item(record: AttestationRecord) -> Item:
    """Return the item of a record."""
    origin = record.origin
    item: dict[str, Any] = {
        **attestations_key(record.pack_id, record.image),
        "pack_id": record.pack_id,
        "image_digest": record.image,
        "revision": record.revision,
        "operation": origin.operation,
        "at": format_timestamp(origin.at),
        "request_id": origin.request_id,
        "ci": dict(origin.ci) or None,
        "source": origin.source or None,
        "replaced": origin.replaced,
        "attestation_status": record.status.value,
        "key_id": record.key_id,
        "signed_at": format_timestamp(record.signed_at),
        "statements": [_statement_item(statement) for statement in record.statements],
        "manifests": list(record.manifests),
    }
    return {name: value for name, value in item.items() if value is not None}


def from_item(item: Item) -> AttestationRecord:
    """Return the record of an item."""
    return AttestationRecord(
        pack_id=item["pack_id"],
        image=Digest(item["image_digest"]),
        revision=int(item["revision"]),
        origin=Origin(
            operation=item["operation"],
            at=parse_timestamp(item["at"]),
            request_id=item.get("request_id"),
            ci=item.get("ci", {}),
            source=item.get("source", ""),
            replaced=digest_attribute(item.get("replaced")),
        ),
        status=RecordStatus(item["attestation_status"]),
        key_id=item["key_id"],
        signed_at=parse_timestamp(item["signed_at"]),
        statements=tuple(map(_statement, item["statements"])),
        manifests=tuple(map(Digest, item["manifests"])),
    )


def _statement_item(statement: SignedStatement) -> Item:
    return {
        "predicate_type": statement.predicate_type,
        "payload": statement.payload,
        "signature": b64encode(statement.signature).decode(),
        "bundle": statement.bundle.digest,
        "size": statement.bundle.size,
        "manifest": statement.manifest,
    }


def _statement(item: Item) -> SignedStatement:
    return SignedStatement(
        predicate_type=item["predicate_type"],
        payload=Digest(item["payload"]),
        signature=b64decode(item["signature"]),
        bundle=Descriptor(MEDIA_TYPE, Digest(item["bundle"]), int(item["size"])),
        manifest=Digest(item["manifest"]),
    )
