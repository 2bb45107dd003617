"""npm's own client of sigstore verifies our bundles offline with the public key, and refuses others."""

import json
import subprocess
from pathlib import Path

import pytest
from local.readers import node, prepare_readers
from tests.signing import FakeSigner, signed_bundle

from packyard.attestations.statement import PROVENANCE, Statement
from packyard.oci.digest import digest_of

STATEMENT = Statement(
    subjects=(digest_of(b"an image"),), name="registry.test/x", predicate_type=PROVENANCE, predicate={"é": 1}
)


@pytest.fixture(scope="module", autouse=True)
def npm() -> None:
    prepare_readers()


def verified(folder: Path, signer: FakeSigner, bundle: bytes) -> subprocess.CompletedProcess[bytes]:
    """Let npm's client verify a bundle with a signer's public key."""
    (folder / "key.pem").write_text(signer.public_key().pem)
    (folder / "bundle.json").write_bytes(bundle)
    command = [*node("verify.mjs"), folder / "key.pem", folder / "bundle.json"]
    return subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own script


def test_npm_s_client_verifies_a_bundle(tmp_path: Path) -> None:
    signer = FakeSigner()

    told = verified(tmp_path, signer, signed_bundle(signer, STATEMENT).to_bytes())

    assert (told.returncode, told.stdout) == (0, STATEMENT.to_bytes()), told.stderr


def test_npm_s_client_refuses_another_key_and_another_payload(tmp_path: Path) -> None:
    signer = FakeSigner()
    bundle = signed_bundle(signer, STATEMENT)
    swapped = json.loads(bundle.to_bytes())
    swapped["dsseEnvelope"]["payload"] = "e30="

    assert b"unknown key" in verified(tmp_path, FakeSigner(), bundle.to_bytes()).stderr
    assert b"SIGNATURE_ERROR" in verified(tmp_path, signer, json.dumps(swapped).encode()).stderr
