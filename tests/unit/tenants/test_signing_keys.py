import json
from typing import Any

import pytest
from tests.issuer import ec_key, public, rsa_key

from packyard.tenants.signing_keys import KeyName, parse_key_set

RSA = public(rsa_key("rsa"))
EC = public(ec_key("ec"))


def key_set(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


def test_keys_are_found_by_name_and_algorithm() -> None:
    keys = parse_key_set(key_set(RSA, EC))

    assert set(keys) == {KeyName("rsa", "RS256"), KeyName("ec", "ES256")}


def test_of_two_keys_of_one_name_and_type_the_first_counts() -> None:
    first, second = public(rsa_key("first"), kid="same"), public(rsa_key("second"), kid="same")

    keys = parse_key_set(key_set(first, second))

    assert keys[KeyName("same", "RS256")].as_dict(private=False)["n"] == first["n"]


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
        pytest.param(public(ec_key("ec-384", "P-384")), id="on another curve"),
    ],
)
def test_a_key_that_tokens_cannot_be_checked_with_is_passed_over(jwk: Any) -> None:
    assert list(parse_key_set(key_set(jwk, public(rsa_key("good"))))) == [KeyName("good", "RS256")]


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_an_rsa_key_below_2048_bits_is_passed_over() -> None:
    assert not parse_key_set(key_set(public(rsa_key("short", 1024))))


def test_a_private_key_that_an_issuer_lets_slip_is_kept_as_its_public_half() -> None:
    (key,) = parse_key_set(key_set(rsa_key("slipped").as_dict(private=True))).values()

    assert not key.is_private


def test_a_set_may_hold_32_keys_and_no_more() -> None:
    jwks = [{**EC, "kid": str(number)} for number in range(33)]

    assert len(parse_key_set(key_set(*jwks[:32]))) == 32
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
