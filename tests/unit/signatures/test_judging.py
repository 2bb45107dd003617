"""Which signatures count: keys, what is signed, and of which image."""

import json
from dataclasses import replace
from hashlib import shake_256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.signatures import (
    BUNDLE,
    IMAGE,
    PROVENANCE,
    Key,
    b64,
    beside,
    brought,
    bundle,
    policy_of,
    simple_signing,
    simply_signed,
    statement,
)

from packyard.attestations.envelope import encoding
from packyard.oci.digest import digest_of
from packyard.signatures.brought import (
    MAX_BYTES,
    MAX_BYTES_EACH,
    Brought,
    ImageSignatures,
    from_text,
    to_text,
)
from packyard.signatures.judging import Judge, described
from packyard.signatures.policy import SignaturePolicy

KEY = Key()
OTHER = Key()
SIGNED = bundle(KEY, statement(IMAGE))


def problem(found: Brought, policy: SignaturePolicy | None = None) -> str:
    """Return why what an image brings does not count; empty if it does."""
    refusal = Judge(policy or policy_of(KEY)).refusal(beside(found))
    return "" if refusal is None else refusal.found[0]["problem"]


def test_a_signature_by_any_key_of_the_rule_is_enough() -> None:
    for signed in (brought(SIGNED), simply_signed(KEY, simple_signing())):
        assert problem(signed, policy_of(OTHER, KEY)) == ""


@pytest.mark.parametrize("media_type", ["0.1", "0.2", "0.3"])
def test_bundles_of_each_version_are_read(media_type: str) -> None:
    kind = f"application/vnd.dev.sigstore.bundle+json;version={media_type}"

    assert problem(brought(SIGNED | {"mediaType": kind}, media_type=kind)) == ""


def test_a_signature_of_the_image_s_own_bytes_counts() -> None:
    manifest = b"an image"
    body = {
        "mediaType": BUNDLE,
        "verificationMaterial": {"publicKey": {}},
        "messageSignature": {
            "messageDigest": {"algorithm": "SHA2_256", "digest": b64(bytes.fromhex(IMAGE[7:]))},
            "signature": b64(KEY.sign(manifest)),
        },
    }

    assert problem(brought(body)) == ""
    assert "signed by none" in problem(brought(body), policy_of(OTHER))


def _elliptic(curve: ec.EllipticCurve, hashed: Any) -> tuple[Any, Any]:
    private = ec.generate_private_key(curve)
    return private.public_key(), lambda message: private.sign(message, ec.ECDSA(hashed))


def _rsa() -> tuple[Any, Any]:
    private = rsa.generate_private_key(65537, 2048)
    return private.public_key(), lambda message: private.sign(message, padding.PKCS1v15(), SHA256())


def _ed25519() -> tuple[Any, Any]:
    private = ed25519.Ed25519PrivateKey.generate()
    return private.public_key(), private.sign


@pytest.mark.parametrize(
    "pair",
    [
        lambda: _elliptic(ec.SECP256R1(), SHA256()),
        lambda: _elliptic(ec.SECP384R1(), SHA384()),
        lambda: _elliptic(ec.SECP384R1(), SHA256()),
        _rsa,
        _ed25519,
    ],
    ids=["P-256", "P-384", "P-384 with SHA-256", "RSA", "Ed25519"],
)
def test_keys_of_each_kind_verify_their_own_signatures_and_no_others(pair: Any) -> None:
    public, sign = pair()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    payload = statement(IMAGE)
    signature = {"sig": b64(sign(encoding("application/vnd.in-toto+json", payload)))}
    whole = SIGNED["dsseEnvelope"] | {"payload": b64(payload), "signatures": [signature]}
    other = SIGNED["dsseEnvelope"] | {"payload": b64(statement(IMAGE, IMAGE)), "signatures": [signature]}

    assert problem(brought(SIGNED | {"dsseEnvelope": whole}), policy_of(pem)) == ""
    assert "signed by none" in problem(brought(SIGNED | {"dsseEnvelope": other}), policy_of(pem))


def _changed(**envelope: Any) -> Brought:
    return brought(SIGNED | {"dsseEnvelope": SIGNED["dsseEnvelope"] | envelope})


ANOTHER = digest_of(b"another image")
REFUSED: dict[str, tuple[Brought, str]] = {
    "another key": (
        brought(bundle(OTHER, statement(IMAGE))),
        "is signed by none of the rule's keys; it names",
    ),
    "another image": (brought(bundle(KEY, statement(ANOTHER))), f"is about another image, {ANOTHER}"),
    "a swapped payload": (_changed(payload=b64(statement(IMAGE, ANOTHER))), "is signed by none"),
    "a swapped type": (
        _changed(payloadType="text/plain"),
        "with a payload of type text/plain, not a statement",
    ),
    "no type": (_changed(payloadType=None), "with a payload of type none"),
    "no signature": (_changed(signatures=[]), "without signatures"),
    "many signatures": (_changed(signatures=[{"sig": ""}] * 6), "more than 5"),
    "a signature that is none": (_changed(signatures=[{"sig": "?"}]), "has a sig that is not base64"),
    "a payload that is none": (_changed(payload=7), "has a payload that is not base64"),
    "no statement": (
        brought(bundle(KEY, statement(IMAGE, kind="https://in-toto.io/Link/v1"))),
        "no in-toto statement",
    ),
    "no subject": (brought(bundle(KEY, statement())), "about nothing"),
    "a subject by another algorithm": (
        brought(bundle(KEY, statement(IMAGE).replace(b'"sha256"', b'"sha512"'))),
        "about another image, nothing",
    ),
    "a name twice": (brought(b'{"mediaType": "a", "mediaType": "b"}'), "gives a name twice"),
    "no JSON": (brought(b"\xff"), "is no JSON object"),
    "half of a surrogate pair": (
        brought(bundle(KEY, statement(IMAGE)) | {"verificationMaterial": {"publicKey": {"hint": "\ud800"}}}),
        "half of a surrogate pair",
    ),
    "a version that is a list": (brought(SIGNED | {"mediaType": []}), "no sigstore bundle of version"),
    "a kind of statement that is a list": (
        _changed(payload=b64(json.dumps({"_type": []}).encode())),
        "no in-toto statement",
    ),
    "another version": (brought(SIGNED | {"mediaType": f"{BUNDLE}x"}), "no sigstore bundle of version"),
    "no material": (brought({"mediaType": BUNDLE}), "has no verificationMaterial"),
    "nothing signed": (brought({"mediaType": BUNDLE, "verificationMaterial": {}}), "without a signature"),
    "a Notary signature": (
        brought(b"{}", media_type="application/jose+json"),
        "is of the type application/jose+json, which is not verified here",
    ),
    "a simple signing of another image": (
        simply_signed(KEY, simple_signing(digest=ANOTHER)),
        "is about another image",
    ),
    "a simple signing of another repository": (
        simply_signed(KEY, simple_signing(repository="docker.io/evil/slack")),
        "names the image docker.io/evil/slack, which the rule does not name",
    ),
    "a simple signing of no repository": (
        simply_signed(KEY, simple_signing(repository="")),
        "names the image (nothing)",
    ),
    "a simple signing by another key": (simply_signed(OTHER, simple_signing()), "is signed by none"),
    "a simple signing of another kind": (
        simply_signed(KEY, simple_signing(type="atomic container signature")),
        'is no "cosign container image signature"',
    ),
    "a simple signing that names nothing": (simply_signed(KEY, simple_signing(image={})), "names no image"),
    "a simple signing without a signature": (
        brought(simple_signing(), media_type="application/vnd.dev.cosign.simplesigning.v1+json"),
        "is not base64",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_count_is_named_with_its_reason(case: str) -> None:
    found, reason = REFUSED[case]

    assert reason in problem(found)


def test_a_simple_signing_may_name_another_repository_that_the_rule_names() -> None:
    mirrored = simply_signed(KEY, simple_signing(repository="docker.io/acme/slack:1.4.0"))

    assert "does not name" in problem(mirrored)
    assert problem(mirrored, policy_of(KEY, images=["ghcr.io/acme/*", "docker.io/acme/*"])) == ""


def test_what_is_too_large_to_keep_does_not_count() -> None:
    large = Brought(where="", manifest=IMAGE, digest=IMAGE, media_type=BUNDLE, size=MAX_BYTES_EACH + 1)

    assert "is larger than what is kept" in problem(large)


def test_an_attestation_is_no_signature_and_each_thing_is_looked_for_by_itself() -> None:
    attested = brought(bundle(KEY, statement(IMAGE, predicate_type=PROVENANCE)))
    both = policy_of(KEY, requires=["signature", PROVENANCE])

    assert Judge(policy_of(KEY, requires=[PROVENANCE])).refusal(beside(attested)) is None
    assert Judge(both).refusal(beside(attested, brought(SIGNED))) is None
    for found, missing in (
        ([attested], (f"a signature of the image by the key key 1 ({b64(KEY.id)})",)),
        ([brought(SIGNED)], (f"an attestation of the type {PROVENANCE} by the key key 1 ({b64(KEY.id)})",)),
        ([], 2),
    ):
        refusal = Judge(both).refusal(beside(*found))
        assert refusal is not None
        assert refusal.looked_for == missing or len(refusal.looked_for) == missing


def test_the_first_rule_that_names_the_repository_decides_and_otherwise_of_the_rest() -> None:
    unsigned, elsewhere = beside(), beside(repository="quay.io/acme/slack")

    assert Judge(policy_of(KEY)).refusal(unsigned) is not None
    assert Judge(policy_of(KEY)).refusal(elsewhere) is None
    assert Judge(policy_of(KEY, images=["ghcr.io/acme"])).refusal(unsigned) is None
    refusal = Judge(policy_of(KEY, otherwise="refuse")).refusal(elsewhere)
    assert refusal is not None
    assert refusal.looked_for == ("a rule that names its repository; the policy refuses others",)


def test_an_unverifiable_signature_of_an_ed25519_key_says_what_may_be_the_cause() -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    assert "Ed25519ph" in problem(brought(SIGNED), policy_of(pem))


def test_what_an_image_brings_is_described_without_trust() -> None:
    attested = brought(bundle(KEY, statement(ANOTHER, predicate_type=PROVENANCE)))
    listed = list(described(beside(brought(SIGNED), attested, brought(b""))))

    assert [one.get("kind") for one in listed] == ["signature", "attestation", None]
    assert [one.get("about_this_image") for one in listed] == [True, False, None]
    assert listed[0]["signer"] == {"key_hint": b64(KEY.id)}
    assert listed[1]["predicate_type"] == PROVENANCE
    assert (
        listed[2]["problem"] == "It is no JSON object, gives a name twice, or holds half of a surrogate pair."
    )


def test_what_is_stored_is_read_again() -> None:
    whole = ImageSignatures(
        repository="r.example/a",
        digest=IMAGE,
        found=(brought(SIGNED), simply_signed(KEY, simple_signing())),
        looked_at=("tag x: answers 404",),
        complete=False,
        unread="because",
        at=beside().at,
    )

    assert from_text(to_text(whole)) == whole
    assert json.loads(policy_of(KEY).to_json()) == policy_of(KEY).document()


def test_the_most_that_is_kept_fits_into_an_item_of_the_table() -> None:
    """DynamoDB's quota for an item: 400 KB, names included."""
    one = brought(shake_256().digest(MAX_BYTES // 2))
    whole = beside(
        one, replace(one, annotations={"predicateType": "x" * 1000}), *[replace(one, content=b"")] * 30
    )

    assert len(to_text(whole)) < 380_000
