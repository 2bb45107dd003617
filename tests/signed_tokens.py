"""Tokens that a real registry takes: JWTs signed by a key whose certificate it has been given.

Source: the CNCF's distribution project, "Docker Registry v2 Bearer token specification" (its claim `access`).
"""

import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from tests.fake_registry.tokens import Rights
from tests.issuer import rsa_key, signed

SERVICE: Final = "fake"
ISSUER: Final = "tests"
_KEY: Final = "the tests' token server"


@cache
def certificate() -> x509.Certificate:
    """Return the certificate of the key that signs."""
    key = rsa_key(_KEY).private_key
    assert isinstance(key, RSAPrivateKey)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tokens")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )


def mint(rights: Rights) -> str:
    """Return a token that is good for these rights, for five minutes."""
    now = int(time.time())
    access = [
        {"type": "repository", "name": name, "actions": sorted(actions)} for name, actions in rights.items()
    ]
    claims = {
        "iss": ISSUER,
        "sub": "packyard",
        "aud": SERVICE,
        "nbf": now - 10,
        "iat": now,
        "exp": now + 300,
        "jti": f"{time.monotonic_ns()}",
        "access": access,
    }
    chain = [b64encode(certificate().public_bytes(Encoding.DER)).decode()]
    return signed(rsa_key(_KEY), "RS256", claims, {"kid": None, "x5c": chain})
