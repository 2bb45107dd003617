"""Verifying a bundle with keys that the verifier has: offline, and without trust in whoever has stored it.

A signature says who has signed. What a verified statement says still has to be compared with what one expects.
"""

from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from packyard.attestations.bundle import NotABundle, parse_bundle
from packyard.attestations.envelope import encoding
from packyard.attestations.public_key import key_of_pem
from packyard.attestations.statement import PAYLOAD_TYPE, NotAStatement, Statement, parse_statement
from packyard.oci.digest import Digest

# What a key on P-256 begins with as DER, before its point (RFC 5480, section 2; a point that is not compressed has 65
# bytes). cryptography's own reader of keys takes 20 to 60 ms to import, as it knows all other kinds too.
_P256: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")


class NotVerified(Exception):
    """A bundle does not prove anything about the subject. The message says why, for people."""


class UnknownKey(NotVerified):
    """The bundle names a key that the verifier does not have.

    Args:
        key_id: That key; None if the bundle names none.
    """

    def __init__(self, key_id: str | None) -> None:
        which = "no key" if key_id is None else f"the key {key_id}"
        super().__init__(f"the bundle names {which}, which is none of the trusted keys")
        self.key_id = key_id


class WrongSubject(NotVerified):
    """The statement is signed by a trusted key, and is about another image."""


def verify_bundle(bundle: bytes, *, keys: Mapping[str, str], subject: Digest) -> Statement:
    """Return the statement of a bundle that a trusted key has signed, and that is about a subject.

    Args:
        bundle: Untrusted bytes.
        keys: The trusted keys: their PEM texts by id (`public_key`). Only keys on P-256 count.
        subject: The digest of the image that the statement must be about.

    Raises:
        UnknownKey: It names none of the keys.
        WrongSubject: It is about another image.
        NotVerified: It is no bundle, the signature is not of the key that it names, or what is signed is no statement.
    """
    try:
        parsed = parse_bundle(bundle)
    except NotABundle as error:
        raise NotVerified(str(error)) from None
    pem = None if parsed.key_id is None else keys.get(parsed.key_id)
    if pem is None:
        raise UnknownKey(parsed.key_id)
    envelope = parsed.envelope
    try:
        require_key(pem).verify(
            envelope.signature, encoding(envelope.payload_type, envelope.payload), ECDSA(SHA256())
        )
    except InvalidSignature:
        raise NotVerified(f"the signature is not by the key {parsed.key_id} over this payload") from None
    # Only what is signed is looked at: the payload's type is signed too.
    if envelope.payload_type != PAYLOAD_TYPE:
        raise NotVerified(f"the payload is not of type {PAYLOAD_TYPE}")
    try:
        statement = parse_statement(envelope.payload)
    except NotAStatement as error:
        raise NotVerified(str(error)) from None
    if subject not in statement.subjects:
        raise WrongSubject(f"the statement is about {statement.subjects[0]}, not about {subject}")
    return statement


def require_key(pem: str) -> EllipticCurvePublicKey:
    """Return the key of a PEM text.

    Raises:
        NotVerified: It is not a public key on P-256.
    """
    try:
        der = key_of_pem(pem).der
    except ValueError:
        raise NotVerified("the trusted key is not a public key in PEM") from None
    if not der.startswith(_P256):
        raise NotVerified("the trusted key is not on the curve P-256")
    try:
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), der[len(_P256) :])
    except ValueError:
        raise NotVerified("the trusted key is no point of the curve P-256") from None
