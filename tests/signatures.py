"""Signatures of images for tests: what real cosign has written, and others made with keys of the tests' own."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.asn1 import encode_der
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.fake_registry.shelves import Manifest, Repository
from tests.third_party_images import Blob, shelve

from packyard.attestations.envelope import encoding
from packyard.oci.digest import Digest, digest_of
from packyard.oci.document import Document
from packyard.oci.media_types import CONFIG, INDEX, MANIFEST
from packyard.signatures.brought import SIMPLE_SIGNING, Brought, ImageSignatures
from packyard.signatures.policy import SignaturePolicy, from_document

BUNDLE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
STATEMENT: Final = "application/vnd.in-toto+json"
SIGN: Final = "https://sigstore.dev/cosign/sign/v1"
PROVENANCE: Final = "https://slsa.dev/provenance/v1"
EMPTY: Final = Blob(b"{}", "application/vnd.oci.empty.v1+json")
REPOSITORY: Final = "ghcr.io/acme/slack"
IMAGE: Final = digest_of(b"an image")
NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


@cache
def written_by_cosign() -> dict[str, Any]:
    """Return what `tests/cosign/remake.py` has taken down."""
    found: dict[str, Any] = json.loads((Path(__file__).parent / "cosign" / "signatures.json").read_text())
    return found


def shelve_cosign_s(repository: Repository, name: str) -> Digest:
    """Put an image and what cosign wrote beside it into a registry, and return the image's digest."""
    taken = written_by_cosign()["repositories"][name]
    for digest, manifest in taken["manifests"].items():
        repository.manifests[digest] = Manifest(manifest["media_type"], manifest["raw"].encode())
    for digest, content in taken["blobs"].items():
        repository.blobs[digest] = base64.b64decode(content)
    repository.tags |= taken["tags"]
    return Digest(taken["tags"]["1.4.0"])


@dataclass(frozen=True)
class Key:
    """A key pair on P-256."""

    private: Any = field(default_factory=lambda: generate_private_key(SECP256R1()))

    @property
    def pem(self) -> str:
        """The public key."""
        form = PublicFormat.SubjectPublicKeyInfo
        return str(self.private.public_key().public_bytes(Encoding.PEM, form).decode())

    @property
    def id(self) -> bytes:
        """The SHA-256 of the public key in DER."""
        der = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(der).digest()

    def sign(self, message: bytes) -> bytes:
        """Return a signature."""
        return bytes(self.private.sign(message, ECDSA(SHA256())))


def b64(content: bytes) -> str:
    """Return base64."""
    return base64.b64encode(content).decode()


def statement(
    *subjects: str, predicate_type: str = SIGN, kind: str = "https://in-toto.io/Statement/v1"
) -> bytes:
    """Return a statement about images."""
    return json.dumps(
        {
            "_type": kind,
            "subject": [{"digest": {"sha256": subject.partition(":")[2]}} for subject in subjects],
            "predicateType": predicate_type,
            "predicate": {},
        }
    ).encode()


def bundle(key: Key, payload: bytes, *, payload_type: str = STATEMENT, **changed: Any) -> dict[str, Any]:
    """Return a sigstore bundle with an envelope, as cosign 3 writes it with a key."""
    body: dict[str, Any] = {
        "mediaType": BUNDLE,
        "verificationMaterial": {"publicKey": {"hint": b64(key.id)}},
        "dsseEnvelope": {
            "payload": b64(payload),
            "payloadType": payload_type,
            "signatures": [{"sig": b64(key.sign(encoding(payload_type, payload)))}],
        },
    }
    return body | changed


def brought(body: Any, *, media_type: str = BUNDLE, annotations: Mapping[str, str] | None = None) -> Brought:
    """Return what was found, of bytes or of an object."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Brought(
        where="referrers",
        manifest=digest_of(b"a manifest"),
        digest=digest_of(content),
        media_type=media_type,
        size=len(content),
        content=content,
        annotations=annotations or {},
    )


def simple_signing(digest: str = IMAGE, repository: str = REPOSITORY, **critical: Any) -> bytes:
    """Return the payload of a simple signing, as cosign up to version 2 writes it."""
    body = {
        "identity": {"docker-reference": repository},
        "image": {"docker-manifest-digest": digest},
        "type": "cosign container image signature",
    }
    return json.dumps({"critical": body | critical, "optional": None}).encode()


def simply_signed(key: Key, payload: bytes, **more: str) -> Brought:
    """Return a simple signing with its signature."""
    annotations = {"dev.cosignproject.cosign/signature": b64(key.sign(payload)), **more}
    return brought(payload, media_type=SIMPLE_SIGNING, annotations=annotations)


def beside(*found: Brought, repository: str = REPOSITORY, digest: Digest = IMAGE) -> ImageSignatures:
    """Return what an image brings."""
    return ImageSignatures(repository=repository, digest=digest, found=found, at=NOW)


def policy_of(*keys: Key | str, images: Sequence[str] = ("ghcr.io/acme/*",), **more: Any) -> SignaturePolicy:
    """Return a policy with a rule that names keys."""
    return from_document(document_of(*keys, images=images, **more))


def document_of(*keys: Key | str, images: Sequence[str] = ("ghcr.io/acme/*",), **more: Any) -> dict[str, Any]:
    """Return the document of such a policy."""
    top: dict[str, Any] = {
        name: more.pop(name) for name in ("otherwise", "authorities", "logs") if name in more
    }
    pems = [key if isinstance(key, str) else key.pem for key in keys]
    signers = [{"name": f"key {number}", "key": pem} for number, pem in enumerate(pems, 1)]
    return {"rules": [{"images": list(images), "signers": signers, **more}], **top}


def refer(repository: Repository, subject: Document, body: Any, *, media_type: str = BUNDLE) -> Document:
    """Put a referrer of an image into a registry, and return its manifest."""
    blob = Blob(body if isinstance(body, bytes) else json.dumps(body).encode(), media_type)
    for one in (blob, EMPTY):
        repository.blobs[digest_of(one.content)] = one.content
    manifest = Document.of(
        MANIFEST,
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": media_type,
            "config": EMPTY.descriptor(),
            "layers": [blob.descriptor()],
            "subject": subject.descriptor(),
        },
    )
    shelve(repository, manifest)
    return manifest


def index_of(*manifests: Document, **entry: Any) -> Document:
    """Return an index of referrers."""
    entries = [manifest.descriptor() | entry for manifest in manifests]
    return Document.of(INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})


def fall_back(repository: Repository, subject: Document, *manifests: Document, **entry: Any) -> None:
    """Put the index of an image's referrers under the tag that stands in for the API."""
    shelve(repository, index_of(*manifests, **entry), subject.digest.replace(":", "-"))


def cosign_tag(repository: Repository, subject: Document, *found: Brought, suffix: str = ".sig") -> None:
    """Put signatures under a tag of cosign's."""
    for one in found:
        repository.blobs[one.digest] = one.content or b""
    config = Blob(b"{}", CONFIG)
    repository.blobs[digest_of(config.content)] = config.content
    layers = [
        {
            "mediaType": one.media_type,
            "digest": one.digest,
            "size": one.size,
            "annotations": dict(one.annotations),
        }
        for one in found
    ]
    body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config.descriptor(), "layers": layers}
    shelve(repository, Document.of(MANIFEST, body), f"{subject.digest.replace(':', '-')}{suffix}")


@dataclass(frozen=True)
class Authority:
    """Who certifies identities: a root and what it certifies, as Fulcio is."""

    key: Key = field(default_factory=Key)
    middle: Key = field(default_factory=Key)
    start: datetime = NOW - timedelta(days=300)

    @property
    def root(self) -> x509.Certificate:
        """The root."""
        return self._authority("root", "root", self.key, self.key, path_length=1)

    @property
    def intermediate(self) -> x509.Certificate:
        """What the root certifies."""
        return self._authority("middle", "root", self.middle, self.key, path_length=0)

    def certify(
        self,
        key: Key,
        *,
        subject: str = "https://github.com/acme/slack/.github/workflows/release.yml@refs/tags/v1",
        issuer: str = "https://token.actions.githubusercontent.com",
        at: datetime = NOW,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.CODE_SIGNING,
        by: Key | None = None,
        more: Sequence[x509.GeneralName] = (),
    ) -> bytes:
        """Return a certificate in DER, valid for ten minutes."""
        builder = (
            _builder("", "middle", key, at, at + timedelta(minutes=10))
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(subject), *more]), critical=True
            )
            .add_extension(
                x509.UnrecognizedExtension(
                    x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8"), encode_der(issuer)
                ),
                critical=False,
            )
        )
        signed = builder.sign((by or self.middle).private, SHA256())
        return signed.public_bytes(Encoding.DER)

    def _authority(self, name: str, issuer: str, key: Key, by: Key, *, path_length: int) -> x509.Certificate:
        builder = _builder(name, issuer, key, self.start, self.start + timedelta(days=3650))
        constraints = x509.BasicConstraints(ca=True, path_length=path_length)
        return (
            builder.add_extension(constraints, critical=True)
            .add_extension(_usage(key_cert_sign=True), critical=True)
            .sign(by.private, SHA256())
        )


def pem_of(certificate: x509.Certificate) -> str:
    """Return a certificate in PEM."""
    return certificate.public_bytes(Encoding.PEM).decode()


def entry_of(log: Key, body: bytes, at: datetime = NOW, **changed: Any) -> dict[str, Any]:
    """Return an entry of a log as bundles have it, with the log's signature."""
    seconds = int(at.timestamp())
    promised = {"body": b64(body), "integratedTime": seconds, "logID": log.id.hex(), "logIndex": 7}
    promise = log.sign(json.dumps(promised, separators=(",", ":"), sort_keys=True).encode())
    entry = {
        "logIndex": "7",
        "logId": {"keyId": b64(log.id)},
        "integratedTime": str(seconds),
        "inclusionPromise": {"signedEntryTimestamp": b64(promise)},
        "canonicalizedBody": b64(body),
    }
    return {name: value for name, value in (entry | changed).items() if value is not None}


def logged_envelope(certificate: bytes, envelope: Mapping[str, Any]) -> bytes:
    """Return what Rekor 1 logs of an envelope."""
    payload = base64.b64decode(envelope["payload"])
    return json.dumps(
        {
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
                "signatures": [
                    {
                        "signature": envelope["signatures"][0]["sig"],
                        "verifier": b64(pem_of(x509.load_der_x509_certificate(certificate)).encode()),
                    }
                ],
            },
        }
    ).encode()


def logged_signature(certificate: bytes, signature: bytes, payload: bytes) -> bytes:
    """Return what Rekor 1 logs of a signature."""
    pem = b64(pem_of(x509.load_der_x509_certificate(certificate)).encode())
    return json.dumps(
        {
            "apiVersion": "0.0.1",
            "kind": "hashedrekord",
            "spec": {
                "data": {"hash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()}},
                "signature": {"content": b64(signature), "publicKey": {"content": pem}},
            },
        }
    ).encode()


def _builder(name: str, issuer: str, key: Key, start: datetime, end: datetime) -> x509.CertificateBuilder:
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)] if one else []) for one in (name, issuer)
    ]
    return (
        x509.CertificateBuilder()
        .subject_name(names[0])
        .issuer_name(names[1])
        .public_key(key.private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _usage(**given: bool) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: given.get(name, False) for name in names})
