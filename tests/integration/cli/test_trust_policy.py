"""`packyard trust policy`: showing and setting what registered images must bring."""

import base64
import json
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.command import Command
from tests.signatures import Authority, Key, document_of, pem_of

from packyard_cli.failure import Exit

NOTHING = {"rules": [], "otherwise": "accept", "authorities": [], "logs": []}
SET = ("trust", "policy", "set")


def test_a_rule_is_set_by_options_and_shown(packyard: Command, tmp_path: Path) -> None:
    key = Key()
    (tmp_path / "release.pub").write_text(key.pem)

    assert packyard("trust", "policy", "show").out == "all registered images: accepted\n"
    ran = packyard(
        *SET, "--images", "ghcr.io/acme/*", "--key", tmp_path / "release.pub", "--otherwise", "refuse"
    )

    assert ran.exit_code == 0
    assert ran.out == (
        "ghcr.io/acme/*: signature, signed by any of\n  the key release\nall other registered images: refused\n"
    )
    shown = packyard("trust", "policy", "show", "--json").document
    assert shown["rules"][0]["signers"] == [{"name": "release", "key": key.pem}]
    assert packyard(*SET, "--none", "--json").document == NOTHING


def test_a_whole_policy_comes_from_a_file_as_it_is_shown(packyard: Command, tmp_path: Path) -> None:
    document = document_of(Key(), requires=["signature"], otherwise="refuse", authorities=[], logs=[])
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(document))

    assert packyard(*SET, file, "--json").document == document
    file.write_text(json.dumps(packyard("trust", "policy", "show", "--json").document))
    assert packyard(*SET, file, "--json").document == document


def test_identities_come_with_sigstore_s_trusted_root(packyard: Command, tmp_path: Path) -> None:
    authority, log = Authority(), Key()
    raw = [one.public_bytes(Encoding.DER) for one in (authority.root, authority.intermediate)]
    certificates = [{"rawBytes": base64.b64encode(one).decode()} for one in raw]
    der = log.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    root = {
        "certificateAuthorities": [{"certChain": {"certificates": certificates}}],
        "tlogs": [{"publicKey": {"rawBytes": base64.b64encode(der).decode()}}],
    }
    (tmp_path / "root.json").write_text(json.dumps(root))
    identity = ("--issuer", "https://gitlab.com", "--subject", "https://gitlab.com/acme/**")

    ran = packyard(*SET, "--images", "**", *identity, "--trusted-root", tmp_path / "root.json", "--json")

    assert ran.document["authorities"] == [pem_of(x509.load_der_x509_certificate(one)) for one in raw]
    assert ran.document["logs"] == [log.pem]
    refused = packyard(*SET, "--images", "**", *identity)
    assert refused.exit_code == Exit.INVALID
    assert "authorities" in refused.err


def test_what_is_no_policy_is_refused_before_it_is_sent(packyard: Command, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]")

    for options in (
        (),
        ("--images", "**"),
        ("--none", tmp_path / "x.json"),
        ("--images", "**", "--issuer", "x"),
    ):
        expected = Exit.INVALID if options == ("--images", "**") else Exit.USAGE
        assert packyard(*SET, *options).exit_code == expected
    assert packyard(*SET, tmp_path / "x.json").exit_code == Exit.INVALID
    root = packyard(
        *SET, "--images", "**", "--key", tmp_path / "x.json", "--trusted-root", tmp_path / "x.json"
    )
    assert root.exit_code == Exit.INVALID
