"""An issuer's public keys, from the key set that it publishes (RFC 7517)."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from packyard.text.strict_json import parse_object

MAX_KEYS: Final = 32
MAX_KEY_ID_CHARACTERS: Final = 256

VerificationKey = RSAKey | ECKey

# The accepted algorithms and their key types. Symmetric algorithms are not accepted, so nobody can use a public key as
# a shared secret (RFC 8725, section 2.1).
_KEY_TYPES: Final[Mapping[str, type[RSAKey | ECKey]]] = {"RS256": RSAKey, "ES256": ECKey, "ES384": ECKey}
# Of the JWTs of the deployment's issuer.
ALGORITHMS: Final = frozenset({"RS256", "ES256"})
# Of the tokens of CI systems. AWS signs with RS256 or ES384 (STS, GetWebIdentityToken).
CI_ALGORITHMS: Final = frozenset({"RS256", "ES256", "ES384"})
# An algorithm of elliptic curves goes with one curve (RFC 7518, section 3.4).
_CURVES: Final[Mapping[str, str]] = {"ES256": "P-256", "ES384": "P-384"}
# The members of a JWK that make up a public key (RFC 7518, section 6).
_PUBLIC_MEMBERS: Final = frozenset({"kty", "n", "e", "crv", "x", "y"})


@dataclass(frozen=True, slots=True)
class KeyName:
    """How a token names its key: by id and algorithm. A key is used with one algorithm only (RFC 8725, section 3.1).

    Attributes:
        key_id: The token's `kid`; None if it has none, which suffices for a set of one key (RFC 7515, section 4.1.4).
        algorithm: RS256, ES256 or ES384.
    """

    key_id: str | None
    algorithm: str


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The keys of a key set with which tokens can be verified.

    Attributes:
        by_name: The keys that have a `kid`, by name. If a name occurs twice, the first key is kept.
        nameless: The keys that have no `kid`, each with its algorithm.
    """

    by_name: Mapping[KeyName, VerificationKey] = field(default_factory=dict)
    nameless: Sequence[tuple[str, VerificationKey]] = ()

    def find(self, name: KeyName) -> VerificationKey | None:
        """Return the only key that can have signed a token with this name, or None.

        It is the key of that name if there is one. Otherwise it is the set's only key for the algorithm, if the token
        or that key has no `kid`. If both have one, they differ, so the key cannot have signed the token.
        """
        named = self.by_name.get(name)
        if named is not None:
            return named
        nameless = [key for algorithm, key in self.nameless if algorithm == name.algorithm]
        others = [key for key_name, key in self.by_name.items() if key_name.algorithm == name.algorithm]
        if len(nameless) + len(others) != 1:
            return None
        candidates = nameless if name.key_id is not None else [*nameless, *others]
        return candidates[0] if candidates else None


def parse_key_set(document: bytes) -> SigningKeys:
    """Return the keys of a JWK Set with which tokens can be verified.

    Which algorithms a token may have is for the reader of tokens.

    Other keys are ignored, because issuers publish them too (RFC 7517, section 5): keys for encryption or for other
    algorithms, symmetric keys, RSA keys below 2048 bits, and keys whose `kid` is not a string.

    Raises:
        ValueError: Not a JWK Set, or a set of more than 32 keys. The message completes "the key set …".
    """
    keys = parse_object(document).get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise ValueError("is not a JWK Set")
    if len(keys) > MAX_KEYS:
        raise ValueError(f"has more than {MAX_KEYS} keys")
    by_name: dict[KeyName, VerificationKey] = {}
    nameless: list[tuple[str, VerificationKey]] = []
    for jwk in keys:
        for algorithm in _KEY_TYPES:
            key = _import(jwk, algorithm)
            if key is None:
                continue
            if "kid" in jwk:
                by_name.setdefault(KeyName(jwk["kid"], algorithm), key)
            else:
                nameless.append((algorithm, key))
    return SigningKeys(by_name, tuple(nameless))


def _import(jwk: Mapping[str, Any], algorithm: str) -> VerificationKey | None:
    key_type = _KEY_TYPES[algorithm]
    if jwk.get("kty") != key_type.key_type or not _is_for(jwk, algorithm):
        return None
    try:
        with warnings.catch_warnings():
            # joserfc only warns about a modulus that is too short.
            warnings.simplefilter("error", SecurityWarning)
            return key_type.import_key(
                {name: value for name, value in jwk.items() if name in _PUBLIC_MEMBERS}
            )
    except (JoseError, SecurityWarning, ValueError, TypeError):
        return None


def _is_for(jwk: Mapping[str, Any], algorithm: str) -> bool:
    key_id, operations = jwk.get("kid", "none"), jwk.get("key_ops")
    return (
        isinstance(key_id, str)
        and 1 <= len(key_id) <= MAX_KEY_ID_CHARACTERS
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg", algorithm) == algorithm
        and (operations is None or (isinstance(operations, list) and "verify" in operations))
        and (algorithm not in _CURVES or jwk.get("crv") == _CURVES[algorithm])
    )
