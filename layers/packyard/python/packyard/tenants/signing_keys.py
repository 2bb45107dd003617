"""An issuer's public keys, from the key set that it publishes (RFC 7517)."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from packyard.tenants.strict_json import parse_object

MAX_KEYS: Final = 32
MAX_KEY_ID_CHARACTERS: Final = 256

VerificationKey = RSAKey | ECKey

# What each algorithm that we take needs of a key. Symmetric ones are not among them, so that a public key can never
# serve as a shared secret (RFC 8725, section 2.1).
_KEY_TYPES: Final[Mapping[str, type[RSAKey | ECKey]]] = {"RS256": RSAKey, "ES256": ECKey}
ALGORITHMS: Final = frozenset(_KEY_TYPES)
# What makes up a public key (RFC 7518, section 6).
_PUBLIC_MEMBERS: Final = frozenset({"kty", "n", "e", "crv", "x", "y"})


@dataclass(frozen=True, slots=True)
class KeyName:
    """How a token names the key that signed it: one name for one algorithm (RFC 8725, section 3.1)."""

    key_id: str
    algorithm: str


SigningKeys = Mapping[KeyName, VerificationKey]


def parse_key_set(document: bytes) -> SigningKeys:
    """Return the keys of a JWK Set that tokens can be checked with.

    Keys for anything else are passed over, as issuers may publish some (RFC 7517, section 5): encryption, other
    algorithms, no name, an RSA modulus below 2048 bits.

    Raises:
        ValueError: Not a JWK Set, or one of more than 32 keys.
    """
    keys = parse_object(document).get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise ValueError("is not a JWK Set")
    if len(keys) > MAX_KEYS:
        raise ValueError(f"has more than {MAX_KEYS} keys")
    usable: dict[KeyName, VerificationKey] = {}
    for jwk in keys:
        for algorithm in ALGORITHMS:
            key = _import(jwk, algorithm)
            if key is not None:
                usable.setdefault(KeyName(jwk["kid"], algorithm), key)
    return usable


def _import(jwk: Mapping[str, Any], algorithm: str) -> VerificationKey | None:
    key_type = _KEY_TYPES[algorithm]
    if jwk.get("kty") != key_type.key_type or not _is_for(jwk, algorithm):
        return None
    try:
        with warnings.catch_warnings():
            # joserfc warns about a modulus that is too short, and would go on.
            warnings.simplefilter("error", SecurityWarning)
            return key_type.import_key(
                {name: value for name, value in jwk.items() if name in _PUBLIC_MEMBERS}
            )
    except (JoseError, SecurityWarning, ValueError, TypeError):
        return None


def _is_for(jwk: Mapping[str, Any], algorithm: str) -> bool:
    key_id, operations = jwk.get("kid"), jwk.get("key_ops")
    return (
        isinstance(key_id, str)
        and 1 <= len(key_id) <= MAX_KEY_ID_CHARACTERS
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg", algorithm) == algorithm
        and (operations is None or (isinstance(operations, list) and "verify" in operations))
        and (algorithm != "ES256" or jwk.get("crv") == "P-256")
    )
