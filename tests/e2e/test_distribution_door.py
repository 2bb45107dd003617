"""The distribution door of the deployed stack, by a client of OCI registries that we did not write."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from local.programs import program
from local.stack import StackDescription
from tests.e2e.client import Client


@pytest.fixture
def pack(acme: Client) -> Any:
    pack = acme.published("pulled-by-door")
    assert acme.call("PUT", "/agent-roles/puller/packs", json={"pack_ids": [pack["id"]]}).status == 200
    return pack


def copy(reference: str, into: Path, login: str) -> subprocess.CompletedProcess[str]:
    options = ["--src-tls-verify=false", "--all", f"--src-creds={login}"]
    return subprocess.run(  # noqa: S603 - our own arguments
        [program("skopeo"), "copy", *options, f"docker://{reference}", f"oci:{into}:pulled"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_login_of_a_role_pulls_what_it_pins_and_nothing_else(
    acme: Client, stack: StackDescription, pack: Any, tmp_path: Path
) -> None:
    login = acme.call("POST", "/agent-roles/puller/pull-token").body
    at_ecr = acme.call("POST", "/agent-roles/puller/pull-token", json={"login": "registry"})
    other = acme.published("not-pinned")
    pinned = f"{login['registry']}/acme/pulled-by-door@{pack['image_digest']}"

    pulled = copy(pinned, tmp_path / "pulled", f"puller:{login['password']}")
    refused = copy(
        f"{login['registry']}/acme/not-pinned@{other['image_digest']}",
        tmp_path / "refused",
        f"puller:{login['password']}",
    )
    by_key = copy(pinned, tmp_path / "by-key", f"puller:{stack['orgs']['acme']['keys']['read_only']}")
    stranger = copy(pinned, tmp_path / "stranger", f"puller:{stack['orgs']['globex']['keys']['full_access']}")

    # The emulator's ECR asks for no login when something is pulled.
    assert (at_ecr.status, at_ecr.body["registry"], at_ecr.body["username"]) == (
        200,
        stack["registry"],
        "AWS",
    )
    assert pulled.returncode == 0, pulled.stderr
    index = json.loads((tmp_path / "pulled" / "index.json").read_text())
    assert index["manifests"][0]["digest"] == pack["image_digest"]
    assert refused.returncode != 0
    assert "pins no such pack" in refused.stderr
    assert by_key.returncode == 0, by_key.stderr
    assert stranger.returncode != 0
    assert "unauthorized" in stranger.stderr.lower()
