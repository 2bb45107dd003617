"""Certificates of identities, as Fulcio issues them: for minutes, to whoever has signed in (RFC 5280).

A certificate counts at the time at which its log says that the signature was made, not at the time of verification.
Sources: sigstore/fulcio, docs/certificate-specification.md and docs/oid-info.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.asn1 import decode_der
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from packyard.signatures.keys import PublicKey, supported

# The `iss` of the identity's token: as a UTF8String, and in older certificates as the bare text.
_ISSUER: Final = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
_OLD_ISSUER: Final = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_MAX_PATH: Final = 4
_HASHES: Final = (SHA256, SHA384, SHA512)
# Extensions that are looked at. Another one that is critical says something that would be passed over.
_KNOWN: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    }
)


class NotCertified(ValueError):
    """A certificate proves no identity. The message continues `it …`, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom a certificate is for.

    Attributes:
        issuer: Who signed the identity in.
        subjects: What identifies it: URIs and e-mail addresses.
    """

    issuer: str
    subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """A signer's certificate whose chain has been verified.

    Attributes:
        identity: Whom it is for.
        key: What verifies the signer's signatures.
    """

    identity: Identity
    key: PublicKey


def parse_authority(pem: str) -> x509.Certificate:
    """Return the certificate of an authority.

    Raises:
        ValueError: It is no certificate, or not that of an authority. The message is for people.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        supported(certificate.public_key())
        is_authority = _may_certify(certificate, below=0)
    except UnsupportedAlgorithm:
        raise ValueError("has a key that is not verified here") from None
    except x509.DuplicateExtension:
        raise ValueError("has an extension twice") from None
    except x509.InvalidVersion:
        raise ValueError("is a certificate of no version that there is") from None
    except ValueError as error:
        message = str(error)
        raise ValueError(message if message.startswith("must") else "is no certificate in PEM") from None
    if not is_authority:
        raise ValueError("is not the certificate of an authority: it may not certify others")
    return certificate


def der_of(pem: bytes) -> bytes:
    """Return a certificate in PEM as DER.

    Raises:
        ValueError: It is none.
    """
    try:
        return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    except x509.InvalidVersion as error:
        raise ValueError("is a certificate of no version that there is") from error


def identity_of(der: bytes) -> Identity:
    """Return whom a certificate is for, unverified.

    Raises:
        NotCertified: It is no certificate, or says it in no way that is known here.
    """
    return _identity(_parsed(der))


def certified(chain: Sequence[bytes], authorities: Sequence[x509.Certificate], at: datetime) -> Certified:
    """Verify a signer's certificate.

    Args:
        chain: The certificate, and those that it came with, in DER.
        authorities: The policy's. Each of them is trusted by itself.
        at: When the signature was made.

    Raises:
        NotCertified: None of the authorities has issued it, directly or through those that it came with; or it was not
            valid then; or it is not for signatures.
    """
    leaf, *between = map(_parsed, chain)
    _require_valid(leaf, at)
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        own = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        raise NotCertified("has a certificate that does not say what it is for") from None
    if ExtendedKeyUsageOID.CODE_SIGNING not in usage or not own.digital_signature:
        raise NotCertified("has a certificate that is not for signatures (code signing)")
    if not _is_issued(leaf, authorities, between, at, depth=0):
        raise NotCertified("has a certificate that none of the policy's authorities has issued")
    try:
        key = supported(leaf.public_key())
    except (ValueError, UnsupportedAlgorithm):
        raise NotCertified("has a certificate with a key of a kind that is not verified here") from None
    return Certified(identity=_identity(leaf), key=key)


def _is_issued(
    certificate: x509.Certificate,
    authorities: Sequence[x509.Certificate],
    between: Sequence[x509.Certificate],
    at: datetime,
    *,
    depth: int,
) -> bool:
    """Return whether a path leads from a certificate to an authority. `depth` counts the authorities below it."""
    if any(_issued(certificate, authority, at, depth) for authority in authorities):
        return True
    return depth < _MAX_PATH and any(
        _is_issued(one, authorities, [other for other in between if other is not one], at, depth=depth + 1)
        for one in between
        if _issued(certificate, one, at, depth)
    )


def _issued(certificate: x509.Certificate, authority: x509.Certificate, at: datetime, below: int) -> bool:
    try:
        if not _may_certify(authority, below=below) or not isinstance(
            certificate.signature_hash_algorithm, (*_HASHES, type(None))
        ):
            return False
        _require_valid(authority, at)
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.DuplicateExtension):
        return False
    return True


def _may_certify(certificate: x509.Certificate, *, below: int) -> bool:
    """Return whether a certificate may issue another one that has so many authorities below it."""
    found = {extension.oid: extension for extension in certificate.extensions}
    constraints, usage, purpose = (
        None if oid not in found else found[oid].value
        for oid in (
            ExtensionOID.BASIC_CONSTRAINTS,
            ExtensionOID.KEY_USAGE,
            ExtensionOID.EXTENDED_KEY_USAGE,
        )
    )
    return (
        isinstance(constraints, x509.BasicConstraints)
        and constraints.ca
        and (constraints.path_length is None or constraints.path_length >= below)
        and isinstance(usage, x509.KeyUsage)
        and usage.key_cert_sign
        and (purpose is None or _is_for_signing(purpose))
        and all(oid in _KNOWN for oid, extension in found.items() if extension.critical)
    )


def _is_for_signing(purpose: x509.ExtensionType) -> bool:
    return isinstance(purpose, x509.ExtendedKeyUsage) and ExtendedKeyUsageOID.CODE_SIGNING in purpose


def _require_valid(certificate: x509.Certificate, at: datetime) -> None:
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise NotCertified("was logged at a time at which its certificate was not valid")


def _parsed(der: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        critical = [extension.oid for extension in certificate.extensions if extension.critical]
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion):
        raise NotCertified("has a certificate that cannot be read") from None
    if not set(critical) <= _KNOWN:
        raise NotCertified("has a certificate with a critical extension that is not known here")
    return certificate


def _identity(leaf: x509.Certificate) -> Identity:
    issuers = set(_issuers(leaf))
    if len(issuers) != 1:
        raise NotCertified("has a certificate that does not say who signed the identity in")
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        raise NotCertified("has a certificate that names no subject") from None
    subjects = (
        *names.get_values_for_type(x509.UniformResourceIdentifier),
        *names.get_values_for_type(x509.RFC822Name),
    )
    if len(subjects) != 1:
        raise NotCertified("has a certificate that names no subject, or several")
    return Identity(issuer=issuers.pop(), subjects=subjects)


def _issuers(leaf: x509.Certificate) -> Iterator[str]:
    for extension in leaf.extensions:
        value = extension.value
        if not isinstance(value, x509.UnrecognizedExtension):
            continue
        try:
            if extension.oid == _ISSUER:
                yield decode_der(str, value.value)
            elif extension.oid == _OLD_ISSUER:
                yield value.value.decode()
        except ValueError:
            raise NotCertified("has a certificate whose issuer cannot be read") from None
