"""Bundles, and what verifies them. Negative controls: another key, another subject, another payload."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from securesystemslib.dsse import Envelope as DsseEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer._key import SSlibKey
from tests.signing import FakeSigner, signed_bundle

from packyard.attestations.bundle import MAX_BYTES, MEDIA_TYPE, NotABundle, parse_bundle
from packyard.attestations.envelope import encoding, encoding_hash
from packyard.attestations.public_key import PublicKey, hint_of, key_id_of, key_of_pem
from packyard.attestations.statement import (
    PAYLOAD_TYPE,
    PROVENANCE,
    NotAStatement,
    Statement,
    parse_statement,
)
from packyard.attestations.verify import NotVerified, UnknownKey, WrongSubject, verify_bundle
from packyard.oci.digest import digest_of

SUBJECT = digest_of(b"an image")
OTHER = digest_of(b"another image")
STATEMENT = Statement(
    subjects=(SUBJECT,), name="registry.test/é", predicate_type=PROVENANCE, predicate={"a": 1}
)
SIGNER = FakeSigner()
KEY = SIGNER.public_key()
KEYS = {KEY.id: KEY.pem}
BUNDLE = signed_bundle(SIGNER, STATEMENT)


def changed(change: Callable[[dict[str, Any]], object], raw: bytes = BUNDLE.to_bytes()) -> bytes:
    """Return a bundle with something changed."""
    body = json.loads(raw)
    change(body)
    return json.dumps(body).encode()


def test_the_signed_bytes_are_those_of_dsse_s_test_vector() -> None:
    # secure-systems-lab/dsse, protocol.md, "Test Vectors".
    assert encoding("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert (
        encoding_hash(PAYLOAD_TYPE, b"\xff" * 9)
        == hashlib.sha256(encoding(PAYLOAD_TYPE, b"\xff" * 9)).digest()
    )


def test_a_statement_is_verified_with_the_key_that_its_bundle_names() -> None:
    assert verify_bundle(BUNDLE.to_bytes(), keys=KEYS, subject=SUBJECT) == STATEMENT


def test_the_past_key_verifies_what_it_has_signed_beside_the_present_one() -> None:
    present = FakeSigner()
    keys = {key.id: key.pem for key in (present.public_key(), KEY)}
    for signer in (SIGNER, present):
        raw = signed_bundle(signer, STATEMENT).to_bytes()
        assert verify_bundle(raw, keys=keys, subject=SUBJECT) == STATEMENT


def test_another_key_does_not_verify_it() -> None:
    other = FakeSigner().public_key()
    with pytest.raises(UnknownKey, match=KEY.id):
        verify_bundle(BUNDLE.to_bytes(), keys={other.id: other.pem}, subject=SUBJECT)
    # As somebody would do it who names a trusted key and signs with another one.
    forged = replace(signed_bundle(FakeSigner(), STATEMENT), key_id=KEY.id)
    with pytest.raises(NotVerified, match="not by the key"):
        verify_bundle(forged.to_bytes(), keys=KEYS, subject=SUBJECT)


def test_a_statement_about_another_image_says_nothing_about_this_one() -> None:
    with pytest.raises(WrongSubject, match=str(SUBJECT)):
        verify_bundle(BUNDLE.to_bytes(), keys=KEYS, subject=OTHER)


def test_another_payload_is_not_signed() -> None:
    swapped = replace(STATEMENT, subjects=(OTHER,)).to_bytes()
    raw = changed(lambda body: body["dsseEnvelope"].update(payload=base64.b64encode(swapped).decode()))
    with pytest.raises(NotVerified, match="not by the key"):
        verify_bundle(raw, keys=KEYS, subject=OTHER)


def test_the_type_of_the_payload_is_signed_too() -> None:
    raw = changed(lambda body: body["dsseEnvelope"].update(payloadType="text/plain"))
    with pytest.raises(NotVerified, match="not by the key"):
        verify_bundle(raw, keys=KEYS, subject=SUBJECT)
    with pytest.raises(NotVerified, match="not of type"):
        verify_bundle(
            signed_bundle(SIGNER, STATEMENT, payload_type="text/plain").to_bytes(),
            keys=KEYS,
            subject=SUBJECT,
        )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda body: body.update(mediaType="application/vnd.dev.sigstore.bundle+json;version=0.1"), "type"),
        (lambda body: body.update(verificationMaterial={"certificate": {"rawBytes": ""}}), "certificate"),
        (lambda body: body.update(verificationMaterial=[]), "verificationMaterial"),
        (lambda body: body["verificationMaterial"].update(publicKey="x"), "publicKey"),
        (lambda body: body.pop("dsseEnvelope"), "no DSSE envelope"),
        (lambda body: body.update(dsseEnvelope=None), "not an object"),
        (lambda body: body["dsseEnvelope"].update(signatures=[]), "exactly one"),
        (lambda body: body["dsseEnvelope"].update(signatures=[{"sig": ""}] * 2), "exactly one"),
        (lambda body: body["dsseEnvelope"].update(signatures=["x"]), "signatures"),
        (lambda body: body["dsseEnvelope"].update(payload="%"), "payload is not base64"),
        (lambda body: body["dsseEnvelope"].update(payload=None), "payload is not base64"),
        (lambda body: body["dsseEnvelope"].update(payloadType=None), "payloadType"),
    ],
)
def test_what_is_no_bundle_of_ours_is_refused_with_the_reason(
    change: Callable[[dict[str, Any]], object], says: str
) -> None:
    with pytest.raises(NotVerified, match=says):
        verify_bundle(changed(change), keys=KEYS, subject=SUBJECT)


@pytest.mark.parametrize("raw", [b"", b"[]", b"\xff", b'{"a":1,"a":2}', b"[" * 100_000])
def test_what_is_no_object_of_json_is_refused(raw: bytes) -> None:
    with pytest.raises(NotABundle, match="JSON"):
        parse_bundle(raw)


def test_a_bundle_is_bounded() -> None:
    with pytest.raises(NotABundle, match="larger"):
        parse_bundle(b" " * (MAX_BYTES + 1))


@pytest.mark.parametrize(
    "hint", [None, 7, "", "release-key", base64.b64encode(b"short").decode(), hint_of("0" * 64)]
)
def test_a_bundle_that_names_none_of_the_keys_is_not_verified_by_any(hint: object) -> None:
    raw = changed(lambda body: body["verificationMaterial"]["publicKey"].update(hint=hint))
    with pytest.raises(UnknownKey):
        verify_bundle(raw, keys=KEYS, subject=SUBJECT)


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b"x",
        b'{"_type":"https://in-toto.io/Statement/v0.1"}',
        *(
            json.dumps({"_type": "https://in-toto.io/Statement/v1", **body}).encode()
            for body in (
                {"subject": [], "predicateType": "x", "predicate": {}},
                {"subject": [{"digest": {"sha512": "00"}}], "predicateType": "x", "predicate": {}},
                {"subject": [{"digest": {"sha256": "A" * 64}}], "predicateType": "x", "predicate": {}},
                {"subject": ["x"], "predicateType": "x", "predicate": {}},
                {"subject": [{"digest": {"sha256": "0" * 64}}] * 65, "predicateType": "x", "predicate": {}},
                {"subject": [{"digest": {"sha256": "0" * 64}}], "predicateType": 1, "predicate": {}},
                {"subject": [{"digest": {"sha256": "0" * 64}}], "predicateType": "x", "predicate": []},
            )
        ),
    ],
)
def test_what_is_no_statement_is_refused(payload: bytes) -> None:
    with pytest.raises(NotAStatement):
        parse_statement(payload)


def test_a_key_has_one_id_one_hint_and_one_text() -> None:
    assert key_of_pem(KEY.pem) == KEY
    assert key_of_pem(KEY.pem.replace("\n", "\r\n")) == KEY
    assert key_id_of(KEY.hint) == KEY.id == hashlib.sha256(KEY.der).hexdigest()
    for text in ("", "no key", KEY.pem.replace("M", "%", 1), "-----BEGIN PUBLIC KEY-----\n"):
        with pytest.raises(ValueError, match="between"):
            key_of_pem(text)


def test_only_keys_on_p_256_are_taken() -> None:
    # Of the same length and kind as one on P-256, with a point that is not on the curve.
    no_point = KEY.der[:-64] + bytes(64)
    for key in (
        "no key",
        PublicKey(b"\x30\x00").pem,
        PublicKey(no_point).pem,
        PublicKey(KEY.der + b"\0").pem,
    ):
        with pytest.raises(NotVerified, match="the trusted key is no"):
            verify_bundle(BUNDLE.to_bytes(), keys={KEY.id: key}, subject=SUBJECT)


def test_securesystemslib_verifies_the_envelope_and_refuses_another_key() -> None:
    def verified_by(signer: FakeSigner) -> bytes:
        envelope = json.loads(BUNDLE.to_bytes())["dsseEnvelope"]
        # It finds keys by ids in the envelope, which a bundle does not have.
        signatures = [{"keyid": "k", **one} for one in envelope["signatures"]]
        key = SSlibKey(
            "k",
            "ecdsa",
            "ecdsa-sha2-nistp256",
            {"public": signer.public_key().pem},
        )
        parsed = DsseEnvelope.from_dict(envelope | {"signatures": signatures})
        parsed.verify([key], 1)
        return bytes(parsed.payload)

    assert verified_by(SIGNER) == STATEMENT.to_bytes()
    with pytest.raises(VerificationError):
        verified_by(FakeSigner())


def test_equal_statements_give_equal_bytes_and_no_media_type_but_version_0_3() -> None:
    assert replace(STATEMENT).to_bytes() == STATEMENT.to_bytes()
    assert json.loads(BUNDLE.to_bytes())["mediaType"] == MEDIA_TYPE
    assert BUNDLE.to_bytes() == parse_bundle(BUNDLE.to_bytes()).to_bytes()
