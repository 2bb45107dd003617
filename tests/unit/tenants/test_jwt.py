"""What a token must be, rule by rule; tokens are signed with real keys."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, RSAKey
from tests.issuer import AUDIENCE, ISSUER, ec_key, public, rsa_key, segment, signed, signed_with_secret

from packyard.tenants.caller import SCOPES
from packyard.tenants.jwt import Identity, TokenRefused, parse_token, read_token
from packyard.tenants.signing_keys import SigningKeys, parse_key_set

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ORG_ID = "org_01hzacme0000000000000000aa"
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "auth0|ada",
    "org_id": ORG_ID,
    "permissions": ["caps:write"],
    "iat": SECONDS - 10,
    "exp": SECONDS + 600,
}
RSA = rsa_key("rsa")
EC = ec_key("ec")
STRANGER = rsa_key("stranger")
KEYS = parse_key_set(json.dumps({"keys": [public(RSA), public(EC)]}).encode())
ADA = Identity(
    org_id=ORG_ID,
    principal="user:auth0|ada",
    scopes=frozenset({"caps:write"}),
    ends_at=datetime.fromtimestamp(SECONDS + 600, UTC),
)

Rule = Callable[..., Any]


def read(text: str, keys: SigningKeys = KEYS) -> Identity:
    token = parse_token(text)
    key = keys.find(token.key_name)
    if key is None:
        raise TokenRefused("no such key")
    return read_token(token, key=key, issuer=ISSUER, audience=AUDIENCE, now=NOW)


def rs256(headers: dict[str, Any] | None = None, /, **changes: Any) -> str:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return signed(RSA, "RS256", claims, headers)


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (EC, "ES256")])
def test_a_token_of_the_issuer_says_who_calls(key: RSAKey | ECKey, algorithm: str) -> None:
    assert read(signed(key, algorithm, CLAIMS)) == ADA


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(rs256({"typ": None}), id="no type"),
        pytest.param(rs256({"typ": "at+jwt"}), id="an access token"),
        pytest.param(rs256({"typ": "application/JWT"}), id="a media type"),
        # Headers that mean nothing here are passed over, whatever they hold (RFC 7515, section 4; RFC 8725, 3.10).
        pytest.param(rs256({"jku": "https://uaa.example/token_keys"}), id="Cloud Foundry's UAA, issue 1710"),
        pytest.param(
            rs256({"jku": "https://x.authentication.sap.hana.ondemand.com/token_keys", "jid": "aG9w"}),
            id="SAP's XSUAA, with a parameter of its own",
        ),
        pytest.param(rs256({"x5t": "aP0nCkVJ", "nonce": "n"}), id="Entra ID"),
        pytest.param(rs256({"x5t#S256": "aP0nCkVJ", "pi.atm": "2"}), id="PingFederate"),
        pytest.param(rs256({"x5c": ["MIIB"], "x5u": "https://evil.example/chain.pem"}), id="certificates"),
        pytest.param(rs256({"x5c": "MIIB", "jku": 5, "x5t": None}), id="certificates in no form"),
        pytest.param(rs256({"jwk": public(STRANGER)}), id="another key, which is not the one used"),
        pytest.param(rs256({"cty": "JWT", "url": "https://x.example", "ppt": "shaken"}), id="known ones"),
        pytest.param(rs256({"note": "n" * 2000}), id="a long header"),
        pytest.param(rs256(aud=["https://other.example", AUDIENCE]), id="one audience of several"),
        pytest.param(rs256(exp=SECONDS - 59), id="expired for less than a minute"),
        pytest.param(rs256(exp=SECONDS + 0.5), id="an expiry between two seconds"),
        pytest.param(rs256(nbf=SECONDS + 60), id="valid in a minute"),
        pytest.param(rs256(iat=SECONDS + 60), id="issued in a minute"),
        pytest.param(rs256(iat=None), id="not telling when it was issued"),
        pytest.param(rs256(permissions=["caps:write", "caps:fly"]), id="permissions that we do not know"),
    ],
)
def test_what_the_rules_leave_open_is_accepted(token: str) -> None:
    assert replace(read(token), ends_at=ADA.ends_at) == ADA


@pytest.mark.parametrize(
    ("expiry", "year"), [(SECONDS + 600, 2026), (SECONDS + 600.5, 2026), (10**12, 9999), (1e300, 9999)]
)
def test_an_identity_ends_with_its_token(expiry: float, year: int) -> None:
    assert read(rs256(exp=expiry)).ends_at.year == year


def test_full_access_stands_for_every_scope() -> None:
    assert read(rs256(permissions=["full_access"])).scopes == SCOPES


def test_no_token_may_operate_whatever_its_issuer_says() -> None:
    assert read(rs256(permissions=["full_access", "operate"])).scopes == SCOPES
    assert read(rs256(permissions=["operate"])).scopes == set()


@pytest.mark.parametrize("permissions", [None, [], ["caps:read"], ["CAPS:WRITE"], ["caps:write "]])
def test_without_the_permission_there_is_no_scope(permissions: Any) -> None:
    assert read(rs256(permissions=permissions)).scopes == frozenset()


NO_KID = {"kid": None}
ONE = [public(RSA)]
NAMELESS = [{name: value for name, value in public(RSA).items() if name != "kid"}]
OTHERS = [public(EC), public(RSA, use="enc", kid="for-encryption"), {"kty": "oct", "k": "AA", "kid": "hmac"}]
SECOND = [public(rsa_key("second"))]


@pytest.mark.parametrize(
    ("headers", "keys", "accepted"),
    [
        # jpadilla/pyjwt issue 1072: neither the token nor the key has a name.
        pytest.param(NO_KID, NAMELESS, True, id="no name at all, one key"),
        pytest.param(NO_KID, ONE, True, id="a key with a name, a token without"),
        pytest.param(NO_KID, ONE + OTHERS, True, id="one key that fits, among others"),
        pytest.param(NO_KID, ONE + SECOND, False, id="two keys that fit"),
        pytest.param(NO_KID, NAMELESS + SECOND, False, id="two keys that fit, one without a name"),
        pytest.param(NO_KID, NAMELESS + NAMELESS, False, id="two keys without a name"),
        pytest.param(NO_KID, SECOND, False, id="one key, which did not sign"),
        pytest.param(NO_KID, OTHERS, False, id="no key that fits"),
        pytest.param(NO_KID, [], False, id="no key"),
        pytest.param({}, NAMELESS, True, id="a token with a name, one key without"),
        pytest.param({}, NAMELESS + OTHERS, True, id="a token with a name, one key without that fits"),
        pytest.param({}, NAMELESS + SECOND, False, id="a token with a name, and no telling whose it is"),
        pytest.param({}, [public(RSA, kid="other")], False, id="a name, and one key of another name"),
        pytest.param({}, ONE + SECOND + NAMELESS, True, id="the name decides"),
        pytest.param({"kid": ""}, ONE, False, id="an empty name is another name"),
        # pyjwt issue 857: a key whose kid is null.
        pytest.param(NO_KID, [public(RSA, kid=None)], False, id="a key whose name is null is none"),
    ],
)
def test_without_a_name_the_only_key_that_fits_is_the_one(
    headers: dict[str, Any], keys: list[dict[str, Any]], accepted: bool
) -> None:
    key_set = parse_key_set(json.dumps({"keys": keys}).encode())

    if accepted:
        assert read(rs256(headers), key_set) == ADA
    else:
        with pytest.raises(TokenRefused):
            read(rs256(headers), key_set)


def unsigned(algorithm: str) -> str:
    return f"{segment(json.dumps({'alg': algorithm, 'kid': 'rsa'}))}.{segment(json.dumps(CLAIMS))}."


PEM = RSA.as_pem(private=False)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(unsigned("none"), id="alg none"),
        pytest.param(unsigned("none") + "AA", id="alg none with a signature"),
        pytest.param(unsigned("nOnE") + "AA", id="alg none in disguise"),
        pytest.param(signed_with_secret(PEM, CLAIMS, {"kid": "rsa"}), id="HS256 with the public key"),
        pytest.param(
            signed_with_secret(PEM, CLAIMS, {"kid": "rsa", "alg": "RS256"}),
            id="HS256 that calls itself RS256",
        ),
        pytest.param(signed(RSA, "RS512", CLAIMS), id="a stronger algorithm that we do not take"),
        pytest.param(signed(RSA, "PS256", CLAIMS, {"alg": "RS256"}), id="another padding"),
        pytest.param(signed(EC, "ES256", CLAIMS, {"kid": "rsa"}), id="an EC signature for the RSA key"),
        pytest.param(signed(RSA, "RS256", CLAIMS, {"alg": "ES256", "kid": "ec"}), id="the reverse"),
        pytest.param(rs256({"alg": ["RS256"]}), id="an algorithm that is a list"),
        pytest.param(rs256({"alg": None}), id="no algorithm"),
        pytest.param(signed(STRANGER, "RS256", CLAIMS), id="an unknown key"),
        pytest.param(signed(STRANGER, "RS256", CLAIMS, {"kid": "rsa"}), id="a stranger's key under our name"),
        pytest.param(rs256({"jwk": public(STRANGER), "kid": "stranger"}), id="a key that it brings"),
        pytest.param(
            signed(STRANGER, "RS256", CLAIMS, {"jku": "https://evil.example/jwks.json", "kid": "rsa"}),
            id="a key that lies where it says",
        ),
        pytest.param(rs256({"kid": 1}), id="a key named by number"),
        pytest.param(rs256({"kid": "k" * 257}), id="a long key name"),
        pytest.param(
            signed(STRANGER, "RS256", CLAIMS, {"jwk": public(STRANGER), "kid": "rsa"}), id="its own key"
        ),
        pytest.param(rs256({"crit": ["exp"]}), id="a critical extension"),
        pytest.param(rs256({"crit": []}), id="no critical extension"),
        pytest.param(rs256({"b64": False}), id="an unencoded payload"),
        pytest.param(rs256({"b64": True}), id="what needs an extension to be said"),
        pytest.param(rs256({"zip": "DEF"}), id="a compressed payload"),
        pytest.param(rs256({"enc": "A256GCM"}), id="an encrypted payload"),
        pytest.param(rs256({"typ": "secevent+jwt"}), id="a token for something else"),
        pytest.param(rs256({"typ": 1}), id="a type that is no text"),
    ],
)
def test_a_header_that_asks_for_trust_gets_none(token: str) -> None:
    with pytest.raises(TokenRefused):
        read(token)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"exp": SECONDS - 60}, id="expired"),
        pytest.param({"exp": None}, id="never expiring"),
        pytest.param({"exp": str(SECONDS + 600)}, id="an expiry in text"),
        pytest.param({"exp": True}, id="an expiry that is a truth value"),
        pytest.param({"nbf": SECONDS + 61}, id="not valid yet"),
        pytest.param({"nbf": "now"}, id="valid from some word"),
        pytest.param({"iat": SECONDS + 61}, id="issued in the future"),
        pytest.param({"iat": [SECONDS]}, id="issued at a list"),
        pytest.param({"iss": None}, id="no issuer"),
        pytest.param({"iss": "https://other.example/"}, id="another issuer"),
        pytest.param({"iss": ISSUER.rstrip("/")}, id="nearly the issuer"),
        pytest.param({"iss": [ISSUER]}, id="a list of issuers"),
        pytest.param({"aud": None}, id="no audience"),
        pytest.param({"aud": "https://other.example"}, id="another audience"),
        pytest.param({"aud": [AUDIENCE + "/"]}, id="nearly the audience"),
        pytest.param({"aud": []}, id="no audience at all"),
        pytest.param({"aud": {AUDIENCE: True}}, id="an audience that is an object"),
        pytest.param({"aud": [AUDIENCE, 1]}, id="an audience that is a number"),
        pytest.param({"org_id": None}, id="no organisation"),
        pytest.param({"org_id": ORG_ID.upper()}, id="not an organisation's id"),
        pytest.param({"org_id": [ORG_ID]}, id="a list of organisations"),
        pytest.param({"org_id": f"{ORG_ID}\n"}, id="an organisation and a line end"),
        pytest.param({"sub": None}, id="no subject"),
        pytest.param({"sub": ""}, id="an empty subject"),
        pytest.param({"sub": 7}, id="a subject that is a number"),
        pytest.param({"sub": "a" * 256}, id="a long subject"),
        pytest.param({"sub": 'ada","org_id":"x'}, id="a subject that would break a log line"),
        pytest.param({"sub": "ada\\"}, id="a subject that would escape in a log line"),
        pytest.param({"sub": "ada\n"}, id="a subject with a line end"),
        pytest.param({"sub": "ad\u00e4"}, id="a subject beyond ASCII"),
        pytest.param({"permissions": "caps:write"}, id="permissions in text"),
        pytest.param({"permissions": [["caps:write"]]}, id="permissions in a list of lists"),
        pytest.param({"permissions": {"caps:write": True}}, id="permissions in an object"),
    ],
)
def test_a_claim_that_does_not_hold_refuses_the_token(changes: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        read(rs256(**changes))


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(json.dumps(CLAIMS)[:-1] + f', "exp": {SECONDS + 9}}}', id="a claim twice"),
        pytest.param(json.dumps(CLAIMS)[:-1] + ', "x": {"y": 1, "y": 2}}', id="a name twice inside a claim"),
        pytest.param(json.dumps(CLAIMS | {"exp": float("nan")}), id="expiring never, as no number"),
        pytest.param(json.dumps(CLAIMS | {"exp": float("inf")}), id="expiring at infinity"),
        pytest.param(
            json.dumps(CLAIMS).replace(f"{SECONDS + 600}", "1e999"), id="expiring beyond all floats"
        ),
        pytest.param(
            json.dumps(CLAIMS).replace(f"{SECONDS + 600}", "9" * 5000), id="a number too long to read"
        ),
        pytest.param(json.dumps([CLAIMS]), id="a list"),
        pytest.param('"claims"', id="text"),
        pytest.param("", id="nothing"),
        pytest.param("[" * 3000 + "]" * 3000, id="deeply nested"),
        pytest.param(json.dumps(CLAIMS).encode("utf-16").decode("latin-1"), id="not UTF-8"),
    ],
)
def test_a_payload_that_two_readers_could_read_differently_is_refused(payload: str) -> None:
    with pytest.raises(TokenRefused):
        read(signed(RSA, "RS256", payload))


def test_a_header_that_names_something_twice_is_refused() -> None:
    _, payload, signature = rs256().split(".")
    header = segment('{"alg": "none", "alg": "RS256", "kid": "rsa"}')

    with pytest.raises(TokenRefused, match="twice"):
        read(f"{header}.{payload}.{signature}")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("eyJ", id="a beginning"),
        pytest.param("eyJ.eyJ.eyJ", id="three beginnings"),
        pytest.param("eyJ.eyJ.eyJ.eyJ.eyJ", id="an encrypted token"),
        pytest.param(f" {rs256()}", id="a blank before it"),
        pytest.param(f"{rs256()}\n", id="a line end behind it"),
        pytest.param(f"{rs256()}=", id="padding"),
        pytest.param(rs256().replace(".", "%2E"), id="an encoded one"),
    ],
)
def test_anything_else_is_refused_as_a_token(text: str) -> None:
    with pytest.raises(TokenRefused):
        read(text)


@given(position=st.integers(min_value=0), replacement=st.sampled_from("AZaz09-_."))
def test_no_character_of_a_token_can_be_changed(position: int, replacement: str) -> None:
    token = signed(EC, "ES256", CLAIMS)
    at = position % len(token)
    changed = token[:at] + replacement + token[at + 1 :]

    if _same_bytes(token, changed):
        return
    with pytest.raises(TokenRefused):
        read(changed)


@given(segments=st.lists(st.binary(max_size=200), min_size=1, max_size=5))
def test_unsigned_bytes_are_refused(segments: list[bytes]) -> None:
    with pytest.raises(TokenRefused):
        read(".".join(segment(part) for part in segments))


@given(
    header=st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "jwk", "crit", "cty", "x5t"]),
        st.sampled_from(["RS256", "ES256", "none", "rsa", "ec", "JWT", "", None, 1, True, [], {}]),
    )
)
def test_whatever_a_header_says_only_the_issuer_s_keys_open(header: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        read(f"{segment(json.dumps(header))}.{segment(json.dumps(CLAIMS))}.{segment(bytes(64))}")


def test_a_refusal_does_not_quote_the_token() -> None:
    token = rs256(sub='secret"', aud="secret")

    with pytest.raises(TokenRefused) as refusal:
        read(token)

    assert "secret" not in str(refusal.value)


def test_the_clock_decides_and_nothing_else() -> None:
    token = parse_token(rs256())
    late = NOW + timedelta(seconds=660)

    with pytest.raises(TokenRefused, match="expired"):
        read_token(token, key=KEYS.by_name[token.key_name], issuer=ISSUER, audience=AUDIENCE, now=late)


def _same_bytes(one: str, other: str) -> bool:
    """Return whether two tokens differ in nothing but the spare bits of the signature's last character."""
    (*one_head, one_signature), (*other_head, other_signature) = one.split("."), other.split(".")
    if one_head != other_head or len(one_signature) != len(other_signature):
        return False
    return urlsafe_b64decode(one_signature + "==") == urlsafe_b64decode(other_signature + "==")
