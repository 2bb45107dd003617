"""Signatures with certificates: whose they are, who has issued them, and when they were made."""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.signatures import (
    IMAGE,
    NOW,
    Authority,
    Key,
    b64,
    beside,
    brought,
    bundle,
    entry_of,
    logged_envelope,
    logged_signature,
    pem_of,
    simple_signing,
    simply_signed,
    statement,
)

from packyard.signatures.brought import Brought
from packyard.signatures.certificates import der_of, parse_authority
from packyard.signatures.judging import Judge, described
from packyard.signatures.policy import SignaturePolicy, from_document

AUTHORITY: Final = Authority()
LOG: Final = Key()
ISSUER: Final = "https://token.actions.githubusercontent.com"
SUBJECT: Final = "https://github.com/acme/slack/.github/workflows/release.yml@refs/tags/*"


def policy(**changed: Any) -> SignaturePolicy:
    signer = {"issuer": ISSUER, "subject": SUBJECT} | changed.pop("signer", {})
    return from_document(
        {
            "rules": [{"images": ["ghcr.io/acme/*"], "signers": [signer]}],
            "authorities": [pem_of(AUTHORITY.root), pem_of(AUTHORITY.intermediate)],
            "logs": [LOG.pem],
        }
        | changed
    )


@dataclass
class Signing:
    """A signature with a certificate, logged; each part may be another."""

    key: Key = field(default_factory=Key)
    certificate: bytes = b""
    payload: bytes = field(default_factory=lambda: statement(IMAGE))
    log: Key = LOG
    at: Any = NOW + timedelta(minutes=1)
    chain: tuple[bytes, ...] = ()
    entry: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.certificate = self.certificate or AUTHORITY.certify(self.key)

    def body(self) -> dict[str, Any]:
        made = bundle(self.key, self.payload)
        logged = logged_envelope(self.certificate, made["dsseEnvelope"])
        chain = {"certificates": [{"rawBytes": b64(one)} for one in (self.certificate, *self.chain)]}
        material = (
            {"x509CertificateChain": chain}
            if self.chain
            else {"certificate": {"rawBytes": b64(self.certificate)}}
        )
        entries = [entry_of(self.log, logged, self.at, **self.entry)]
        return made | {"verificationMaterial": {**material, "tlogEntries": entries}}

    def found(self) -> Brought:
        return brought(self.body())


def problem(found: Brought, by: SignaturePolicy | None = None) -> str:
    refusal = Judge(by or policy()).refusal(beside(found))
    return "" if refusal is None else refusal.found[0]["problem"]


def test_an_identity_of_the_rule_is_enough() -> None:
    assert problem(Signing().found()) == ""


def test_a_chain_may_come_with_the_signature_and_only_the_root_be_known() -> None:
    only_root = policy(authorities=[pem_of(AUTHORITY.root)])
    middle = AUTHORITY.intermediate.public_bytes(Encoding.DER)

    assert problem(Signing(chain=(middle,)).found(), only_root) == ""
    assert "none of the policy's authorities" in problem(Signing().found(), only_root)


def test_what_cosign_2_wrote_into_annotations_counts_the_same() -> None:
    key = Key()
    certificate = AUTHORITY.certify(key)
    payload = simple_signing()
    signature = key.sign(payload)
    entry = entry_of(LOG, logged_signature(certificate, signature, payload))
    log = {
        "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        "Payload": {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logIndex": int(entry["logIndex"]),
            "logID": LOG.id.hex(),
        },
    }
    annotations = {
        "dev.cosignproject.cosign/signature": b64(signature),
        "dev.sigstore.cosign/certificate": pem_of(x509.load_der_x509_certificate(certificate)),
        "dev.sigstore.cosign/bundle": json.dumps(log),
    }
    found = replace(simply_signed(key, payload), annotations=annotations)

    assert problem(found) == ""
    assert "no entry of a transparency log" in problem(
        replace(found, annotations={k: v for k, v in annotations.items() if not k.endswith("/bundle")})
    )


def _signed_by_another_key() -> Brought:
    """Return a bundle whose log entry fits its signature, which is not by the certificate's key."""
    owner = Key()
    return Signing(key=Key(), certificate=AUTHORITY.certify(owner)).found()


def _entry_of_another() -> Brought:
    signing = Signing()
    other = Signing(payload=statement(IMAGE, IMAGE))
    body = signing.body()
    entries = other.body()["verificationMaterial"]["tlogEntries"]
    return brought(body | {"verificationMaterial": body["verificationMaterial"] | {"tlogEntries": entries}})


def _of(**certified: Any) -> Brought:
    key = Key()
    return Signing(key=key, certificate=AUTHORITY.certify(key, **certified)).found()


def _long_ago() -> Brought:
    key, at = Key(), NOW - timedelta(days=100)
    return Signing(key=key, certificate=AUTHORITY.certify(key, at=at), at=at).found()


REFUSED: dict[str, tuple[Brought, str]] = {
    "another subject": (
        _of(subject="https://github.com/evil/slack"),
        "signed by https://github.com/evil/slack",
    ),
    "another issuer": (
        _of(issuer="https://gitlab.com"),
        "of https://gitlab.com, whom the rule does not name",
    ),
    "a longer subject": (
        _of(subject=f"https://evil.example/?{SUBJECT[:-1]}v1"),
        "whom the rule does not name",
    ),
    "another authority": (_of(by=Key()), "none of the policy's authorities has issued"),
    "another purpose": (_of(usage=ExtendedKeyUsageOID.SERVER_AUTH), "is not for signatures"),
    "two subjects": (_of(more=[x509.RFC822Name("a@b.example")]), "names no subject, or several"),
    "logged too late": (Signing(at=NOW + timedelta(minutes=11)).found(), "its certificate was not valid"),
    "logged too early": (Signing(at=NOW - timedelta(minutes=1)).found(), "its certificate was not valid"),
    "logged by another log": (Signing(log=Key()).found(), "of a log that the policy does not know"),
    "another time than promised": (
        Signing(entry={"integratedTime": str(int(NOW.timestamp()))}).found(),
        "that the log has not signed",
    ),
    "another number than promised": (Signing(entry={"logIndex": "8"}).found(), "that the log has not signed"),
    "no promise, as Rekor 2 gives none": (
        Signing(entry={"inclusionPromise": None}).found(),
        "RFC 3161 timestamps are not verified here",
    ),
    "the entry of another signature": (_entry_of_another(), "the log entry of another signature"),
    "another key than the certificate's": (
        _signed_by_another_key(),
        "not signed with the key of its certificate",
    ),
    "no time that there is": (Signing(entry={"integratedTime": "9" * 18}).found(), "has not signed"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_proves_no_identity_of_the_rule_is_named_with_its_reason(case: str) -> None:
    found, reason = REFUSED[case]

    assert reason in problem(found)


def test_a_certificate_of_another_version_is_one_that_cannot_be_read() -> None:
    """The library reports it by an error of no family."""
    versions = b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07"
    signing = Signing()
    body = signing.body()
    body["verificationMaterial"]["certificate"]["rawBytes"] = b64(signing.certificate.replace(*versions, 1))
    root = AUTHORITY.root.public_bytes(Encoding.DER).replace(*versions, 1)
    pem = f"-----BEGIN CERTIFICATE-----\n{b64(root)}\n-----END CERTIFICATE-----\n"

    (listed,) = described(beside(brought(body)))
    assert listed["signer"] == {}
    assert problem(brought(body))
    for read in (parse_authority, lambda text: der_of(text.encode())):
        with pytest.raises(ValueError, match="no version that there is"):
            read(pem)


def test_an_old_signature_counts_for_as_long_as_its_authority_was_valid_then() -> None:
    assert problem(_long_ago()) == ""


def test_a_rule_with_keys_only_takes_no_certificate_unless_it_is_of_its_key() -> None:
    signing = Signing()
    of_key = {"images": ["**"], "signers": [{"name": "a", "key": signing.key.pem}]}
    of_other = {"images": ["**"], "signers": [{"name": "a", "key": Key().pem}]}

    assert problem(signing.found(), from_document({"rules": [of_key]})) == ""
    assert "the rule names keys only" in problem(signing.found(), from_document({"rules": [of_other]}))


def test_whom_a_certificate_is_for_is_listed() -> None:
    (listed,) = described(beside(Signing().found()))

    assert listed["signer"] == {
        "subject": "https://github.com/acme/slack/.github/workflows/release.yml@refs/tags/v1",
        "issuer": ISSUER,
    }
