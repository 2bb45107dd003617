import json
from typing import Any

import pytest
from tests.issuer import ec_key, public, rsa_key

from packyard.tenants.signing_keys import KeyName, SigningKeys, parse_key_set

RSA = public(rsa_key("rsa"))
EC = public(ec_key("ec"))


def key_set(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


def test_keys_are_found_by_name_and_algorithm() -> None:
    keys = parse_key_set(key_set(RSA, EC))

    assert set(keys.by_name) == {KeyName("rsa", "RS256"), KeyName("ec", "ES256")}


def test_of_two_keys_of_one_name_and_type_the_first_counts() -> None:
    first, second = public(rsa_key("first"), kid="same"), public(rsa_key("second"), kid="same")

    keys = parse_key_set(key_set(first, second))

    assert keys.by_name[KeyName("same", "RS256")].as_dict(private=False)["n"] == first["n"]


@pytest.mark.parametrize(
    "jwk",
    [
        pytest.param({**RSA, "use": "enc"}, id="for encryption"),
        pytest.param({**RSA, "key_ops": ["sign"]}, id="for signing only"),
        pytest.param({**RSA, "key_ops": "verify"}, id="with operations that are no list"),
        pytest.param({**RSA, "alg": "PS256"}, id="for another algorithm"),
        pytest.param({**RSA, "kty": "oct", "k": "c2VjcmV0"}, id="a shared secret"),
        pytest.param({**RSA, "kid": None}, id="with no name"),
        pytest.param({**RSA, "kid": ""}, id="with an empty name"),
        pytest.param({**RSA, "kid": "k" * 257}, id="with a name that is too long"),
        pytest.param({**RSA, "n": "not base64!"}, id="with a modulus that is none"),
        pytest.param({**RSA, "n": 5}, id="with a modulus that is a number"),
        pytest.param({"kty": "RSA", "kid": "rsa"}, id="with nothing in it"),
        pytest.param({**RSA, "e": "Ag"}, id="with an even exponent"),
        pytest.param({**EC, "x": EC["y"]}, id="with a point that is not on the curve"),
        pytest.param(public(ec_key("ec-521", "P-521")), id="on another curve"),
    ],
)
def test_a_key_that_tokens_cannot_be_checked_with_is_passed_over(jwk: Any) -> None:
    keys = parse_key_set(key_set(jwk, public(rsa_key("good"))))

    assert list(keys.by_name) == [KeyName("good", "RS256")]
    assert not keys.nameless


def unnamed(jwk: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in jwk.items() if name != "kid"}


X5 = {"x5c": ["MIIC8TCC"], "x5t": "kg2LYs2T0CTjIfj4rt6JIynen38"}
# Key sets in the shapes that issuers document or publish, with keys of our own in them.
ISSUERS = {
    "Entra ID": [
        {**RSA, **X5, "use": "sig", "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"},
        {**RSA, **X5, "kid": "second", "use": "sig", "cloud_instance_name": "microsoftonline.com"},
    ],
    "Auth0": [{**RSA, **X5, "use": "sig", "alg": "RS256"}],
    "Okta": [{**RSA, "use": "sig", "alg": "RS256", "status": "ACTIVE", "created": "2026-03-01T12:00:00.000Z"}],
    "Keycloak": [
        {**RSA, **X5, "kid": "enc", "use": "enc", "alg": "RSA-OAEP", "x5t#S256": "aP0n"},
        {**RSA, **X5, "use": "sig", "alg": "RS256", "x5t#S256": "aP0n"},
        {"kid": "hs", "kty": "oct", "alg": "HS512", "use": "sig"},
        {"kid": "ed", "kty": "OKP", "alg": "EdDSA", "use": "sig", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg"},
    ],
    "Cognito": [{**RSA, "alg": "RS256", "e": "AQAB", "use": "sig"}, {**RSA, "kid": "second", "alg": "RS256"}],
    "Google": [{**RSA, "use": "sig", "alg": "RS256"}, {**EC, "kid": "second", "use": "sig", "alg": "ES256"}],
    "Cloud Foundry's UAA": [
        {**RSA, "use": "sig", "alg": "RS256", "value": "-----BEGIN PUBLIC KEY-----"},
        {"kty": "MAC", "alg": "HS256", "use": "sig", "kid": "legacy-token-key", "value": "tokenKey"},
    ],
    "one of a later standard": [{"kty": "AKP", "alg": "ML-DSA-44", "kid": "pq", "pub": "AA"}, RSA],
}  # fmt: skip


@pytest.mark.parametrize("jwks", ISSUERS.values(), ids=ISSUERS)
def test_the_key_sets_of_issuers_give_their_keys_for_signatures(jwks: list[dict[str, Any]]) -> None:
    keys = parse_key_set(key_set(*jwks))

    assert KeyName("rsa", "RS256") in keys.by_name
    assert {name.key_id for name in keys.by_name} <= {"rsa", "second"}
    assert not keys.nameless


def test_a_key_without_a_name_is_kept_apart() -> None:
    keys = parse_key_set(key_set(unnamed(RSA), EC))

    assert [algorithm for algorithm, _ in keys.nameless] == ["RS256"]
    assert list(keys.by_name) == [KeyName("ec", "ES256")]


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_an_rsa_key_below_2048_bits_is_passed_over() -> None:
    assert parse_key_set(key_set(public(rsa_key("short", 1024)))) == SigningKeys()


def test_only_the_public_half_of_an_issuer_s_leaked_private_key_is_kept() -> None:
    (key,) = parse_key_set(key_set(rsa_key("slipped").as_dict(private=True))).by_name.values()

    assert not key.is_private


def test_a_set_may_hold_32_keys_and_no_more() -> None:
    jwks = [{**EC, "kid": str(number)} for number in range(33)]

    assert len(parse_key_set(key_set(*jwks[:32])).by_name) == 32
    with pytest.raises(ValueError, match="more than 32"):
        parse_key_set(key_set(*jwks))


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>", id="a page"),
        pytest.param(b"\xff\xfe{\x00}\x00", id="UTF-16"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="no keys"),
        pytest.param(b'{"keys": {}}', id="keys that are no list"),
        pytest.param(b'{"keys": [1]}', id="a key that is no object"),
        pytest.param(b'{"keys": [], "keys": []}', id="a name twice"),
        pytest.param(b'{"keys": ' + b"[" * 100_000, id="deeply nested"),
        pytest.param(b'{"keys": [{"kid": NaN}]}', id="not a number"),
    ],
)
def test_anything_but_a_key_set_is_a_value_error(document: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_key_set(document)
