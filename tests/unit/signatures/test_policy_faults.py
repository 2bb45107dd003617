"""What is wrong with policies, by the fields that are to be changed."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from tests.signatures import NOW, Authority, Key, document_of, pem_of

from packyard.packs.path_patterns import matches
from packyard.signatures.policy import from_document
from packyard.signatures.policy_faults import policy_faults

KEY = Key()
AUTHORITY = Authority()
IDENTITY = {"issuer": "https://gitlab.com", "subject": "https://gitlab.com/acme/**"}
GOOD: list[dict[str, Any]] = [
    {},
    {"rules": [], "otherwise": "refuse"},
    document_of(KEY),
    document_of(KEY, images=["**"], requires=["signature", "https://slsa.dev/provenance/v1"]),
    document_of(
        KEY, images=["docker.io/library/*", "registry.example:5000/**", "*.example/a/*", "localhost/a"]
    ),
    {
        "rules": [{"images": ["ghcr.io/acme/*"], "signers": [IDENTITY]}],
        "authorities": [pem_of(AUTHORITY.root), pem_of(AUTHORITY.intermediate)],
        "logs": [KEY.pem],
    },
]


@pytest.mark.parametrize("document", GOOD)
def test_policies_that_are_right(document: dict[str, Any]) -> None:
    assert policy_faults(document) == {}
    assert policy_faults(from_document(document).document()) == {}


def _pem(key: Any) -> str:
    return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def _with(**changed: Any) -> dict[str, Any]:
    document = document_of(KEY)
    document["rules"][0] |= changed
    return document


def _with_key(pem: object, **more: Any) -> dict[str, Any]:
    return _with(signers=[{"name": "a", "key": pem, **more}])


def _leaf() -> str:
    return pem_of(x509.load_der_x509_certificate(AUTHORITY.certify(KEY, at=NOW - timedelta(days=1))))


PRIVATE = KEY.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
SHORT = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused
SIGNER, IMAGE = "rules[0].signers[0]", "rules[0].images[0]"
WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "rules that are none": ({"rules": {}}, "rules", "must be a list"),
    "a rule that is none": ({"rules": [7]}, "rules[0]", "must be an object"),
    "too many rules": ({"rules": document_of(KEY)["rules"] * 21}, "rules", "at most 20 rules"),
    "a rule twice": ({"rules": document_of(KEY)["rules"] * 2}, "rules", "each entry once"),
    "an unknown name": (_with(image="x"), "rules[0].image", "is not one of images, signers, requires"),
    "no images": (_with(images=[]), "rules[0].images", "1 to 20"),
    "an image in upper case": (_with(images=["GHCR.io/acme/*"]), IMAGE, "in lower case"),
    "an image of Docker that references name otherwise": (
        _with(images=["docker.io/redis"]),
        IMAGE,
        "would match nothing: references name this repository docker.io/library/redis",
    ),
    "two keys in one": (_with_key(KEY.pem + Key().pem), f"{SIGNER}.key", "list each key by itself"),
    "an image without its registry": (_with(images=["acme/*"]), IMAGE, "docker.io/acme/*"),
    "an image without its repository": (_with(images=["ghcr.io"]), IMAGE, "ghcr.io/**"),
    "another name of a registry": (_with(images=["index.docker.io/acme/*"]), IMAGE, "docker.io/acme/*"),
    "a tag": (_with(images=["ghcr.io/acme/a:1.0"]), IMAGE, "without tag and digest"),
    "a port that is none": (_with(images=["ghcr.io:99999/a"]), IMAGE, "from 1 to 65535"),
    "no signers": (_with(signers=[]), "rules[0].signers", "1 to 20"),
    "a signer that is none": (_with(signers=[KEY.pem]), SIGNER, 'either {"name"'),
    "a key and an identity": (_with_key(KEY.pem, issuer="https://a.example"), SIGNER, "either"),
    "a key without a name": (_with(signers=[{"key": KEY.pem}]), f"{SIGNER}.name", "1 to 64"),
    "a private key": (_with_key(PRIVATE), f"{SIGNER}.key", "is a private key"),
    "no key": (_with_key("x"), f"{SIGNER}.key", "must be a public key in PEM"),
    "a key that is too long": (_with_key("x" * 9000), f"{SIGNER}.key", "of at most 8192"),
    "a key on another curve": (
        _with_key(_pem(ec.generate_private_key(ec.SECP521R1()))),
        f"{SIGNER}.key",
        "P-384",
    ),
    "a short key": (_with_key(_pem(SHORT)), f"{SIGNER}.key", "2,048"),
    "an issuer that is none": (
        _with(signers=[IDENTITY | {"issuer": "gitlab.com"}]),
        f"{SIGNER}.issuer",
        "as in https://token",
    ),
    "anybody": (_with(signers=[IDENTITY | {"subject": "**"}]), f"{SIGNER}.subject", "a URI or an e-mail"),
    "something that cannot be required": (
        _with(requires=["sbom"]),
        "rules[0].requires[0]",
        "https://slsa.dev",
    ),
    "nothing required": (_with(requires=[]), "rules[0].requires", "1 to 5"),
    "an identity without who certifies it": (_with(signers=[IDENTITY]), "authorities", "is needed"),
    "an identity without who says when": (_with(signers=[IDENTITY]), "logs", "(Rekor)"),
    "otherwise something else": ({"otherwise": "reject"}, "otherwise", "refuse"),
    "an authority that is none": ({"authorities": [_leaf()]}, "authorities[0]", "may not certify others"),
    "an authority that is no certificate": (
        {"authorities": [KEY.pem]},
        "authorities[0]",
        "one certificate in PEM",
    ),
    "two authorities in one": (
        {"authorities": [pem_of(AUTHORITY.root) + pem_of(AUTHORITY.intermediate)]},
        "authorities[0]",
        "list each by itself",
    ),
    "a log that is none": ({"logs": ["rekor"]}, "logs[0]", "must be a public key in PEM"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_with_what_helps(case: str) -> None:
    document, field, reason = WRONG[case]

    assert reason in policy_faults(document)[field]


@pytest.mark.parametrize(
    ("pattern", "text", "matched"),
    [
        ("ghcr.io/acme/*", "ghcr.io/acme/slack", True),
        ("ghcr.io/acme/*", "ghcr.io/acme/team/slack", False),
        ("ghcr.io/acme/**", "ghcr.io/acme/team/slack", True),
        ("ghcr.io/acme/*", "evil.example/ghcr.io/acme/slack", False),
        ("ghcr.io/acme/*", "ghcr.io/acme/", True),
        ("ghcr.io/acme", "ghcr.io/acme2", False),
        ("**", "", True),
        ("a.c", "abc", False),
    ],
)
def test_patterns_match_whole_texts(pattern: str, text: str, *, matched: bool) -> None:
    assert matches([pattern], text) is matched


def test_a_pattern_of_many_wildcards_takes_no_longer_than_the_text_is_long() -> None:
    assert not matches(["*a" * 140], "a" * 300 + "b")
