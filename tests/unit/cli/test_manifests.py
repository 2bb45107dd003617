"""Manifests that mount what a role pins, written from a lock."""

import base64
import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.command import Command, Ran, received

from packyard_cli.manifests import label_of

OWN = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/packs/org_01jq2v7n3t5w8xabcdefghjkmn/slack"
DIGESTS = {name: f"sha256:{hashlib.sha256(name.encode()).hexdigest()}" for name in ("slack", "jira")}
SLACK = {"name": "slack", "image": f"{OWN}@{DIGESTS['slack']}", "image_digest": DIGESTS["slack"]}
# Registered: its image stays in another registry. YAML 1.2 takes 1e3 without quotes for a number.
JIRA = {
    "name": "jira",
    "alias": "1e3",
    "image": f"ghcr.io/other/jira@{DIGESTS['jira']}",
    "image_digest": DIGESTS["jira"],
}
PULLED = (SLACK["image"], JIRA["image"])


def lock(*packs: Mapping[str, Any], role: str = "support") -> dict[str, Any]:
    """Return a lock document without files."""
    full = [
        {
            "id": f"pack_0000000000000000000000000{number}",
            "owner": "acme",
            "version": "1.4.0",
            "revision": 3,
            "layers": [],
            "status": "active",
            **pack,
        }
        for number, pack in enumerate(packs)
    ]
    lines = "".join(f"{pack['id']}\0{pack['image_digest']}\n" for pack in full)
    return {
        "lock_version": 1,
        "role_id": role,
        "revision": 7,
        "packs": full,
        "set_digest": f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}",
    }


@pytest.fixture
def write(packyard: Command, tmp_path: Path) -> Any:
    """Write a manifest from a lock file, without a network."""

    def run(document: Any, *options: str, form: str = "kubernetes") -> Ran:
        file = tmp_path / "packyard.lock"
        file.write_text(json.dumps(document))
        role = document["role_id"]
        return packyard(
            "roles",
            "manifest",
            role,
            "--lock",
            file,
            "--format",
            form,
            "--image",
            "ghcr.io/acme/agent:3",
            *options,
        )

    return run


def test_a_pod_mounts_each_pack_by_digest_and_read_only(write: Any) -> None:
    ran = write(
        lock(SLACK, JIRA), "--pull-secret", "packyard-pull", "--pull-secret", "ghcr", "--mount-at", "/opt/p"
    )

    assert (ran.exit_code, ran.err) == (0, "")
    pod = yaml.safe_load(ran.out)
    assert (pod["kind"], pod["metadata"]["name"]) == ("Pod", "support")
    assert pod["metadata"]["annotations"]["packyard/role-revision"] == "7"
    spec = pod["spec"]
    assert spec["imagePullSecrets"] == [{"name": "packyard-pull"}, {"name": "ghcr"}]
    assert spec["volumes"] == [
        {"name": name, "image": {"reference": image, "pullPolicy": "IfNotPresent"}}
        for name, image in zip(("slack", "1e3"), PULLED, strict=True)
    ]
    (container,) = spec["containers"]
    assert container["image"] == "ghcr.io/acme/agent:3"
    assert container["volumeMounts"] == [
        {"name": name, "mountPath": f"/opt/p/{name}", "readOnly": True} for name in ("slack", "1e3")
    ]


def test_a_compose_file_mounts_each_pack_by_digest_and_read_only(write: Any) -> None:
    document = yaml.safe_load(write(lock(SLACK, JIRA, role="123"), form="compose").out)

    assert document == {
        "services": {
            "123": {
                "image": "ghcr.io/acme/agent:3",
                "volumes": [
                    {"type": "image", "source": image, "target": f"/packs/{name}", "read_only": True}
                    for name, image in zip(("slack", "1e3"), PULLED, strict=True)
                ],
            }
        }
    }


def _commands_of(script: str, tmp_path: Path, *arguments: str) -> list[list[str]]:
    """Run a script with a podman that writes down its words, and return them."""
    record, stand_in = tmp_path / "record", tmp_path / "podman"
    stand_in.write_text(f"#!/bin/sh\nprintf '%s\\036' \"$@\" >>{record}\nprintf '\\035' >>{record}\n")
    stand_in.chmod(0o755)
    record.unlink(missing_ok=True)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    command = ["/bin/sh", "-s", *arguments]
    subprocess.run(command, input=script, text=True, check=True, env=environment, cwd=tmp_path)  # noqa: S603 - ours
    return [call.split("\x1e")[:-1] for call in record.read_text().split("\x1d")[:-1]]


def test_a_script_pulls_each_pack_and_runs_the_container_with_them(write: Any, tmp_path: Path) -> None:
    script = write(lock(SLACK, JIRA), form="podman").out

    assert _commands_of(script, tmp_path, "echo", "a b") == [
        ["pull", "--quiet", SLACK["image"]],
        ["pull", "--quiet", JIRA["image"]],
        [
            "run",
            "--rm",
            f"--mount=type=image,source={SLACK['image']},destination=/packs/slack",
            f"--mount=type=image,source={JIRA['image']},destination=/packs/1e3",
            "ghcr.io/acme/agent:3",
            "echo",
            "a b",
        ],
    ]


@pytest.mark.parametrize("form", ["kubernetes", "compose", "podman"])
def test_what_a_lock_holds_never_leaves_its_place(write: Any, tmp_path: Path, form: str) -> None:
    hostile = "x\n$(touch made)`touch made`'\"\u2028: {} #\nkind: Node"
    packs = [{**SLACK, "version": hostile, "status": hostile}, {**JIRA, "alias": "A_b.C"}]
    calm = [SLACK, {**JIRA, "alias": "A_b.C"}]

    ran, expected = write(lock(*packs, role=hostile), form=form), write(lock(*calm, role=hostile), form=form)

    assert ran.exit_code == expected.exit_code == 0
    if form == "podman":
        assert _commands_of(ran.out, tmp_path) == _commands_of(expected.out, tmp_path)
        assert not (tmp_path / "made").exists()
    else:
        assert yaml.safe_load(ran.out) == yaml.safe_load(expected.out)
    assert "\\n$(touch made)" in ran.err


def test_equal_locks_give_equal_bytes(write: Any) -> None:
    document = lock(SLACK, JIRA)

    assert write(document).raw == write(dict(reversed(document.items()))).raw


def test_the_door_serves_packs_of_our_registry_and_no_others(write: Any) -> None:
    ran = write(lock(SLACK, JIRA), "--door", "acme.packyard.example", "--json")

    volumes = ran.document["manifest"]["spec"]["volumes"]
    assert [volume["image"]["reference"] for volume in volumes] == [
        f"acme.packyard.example/acme/slack@{DIGESTS['slack']}",
        JIRA["image"],
    ]
    assert yaml.safe_load(ran.document["text"]) == ran.document["manifest"]


def test_a_revision_that_should_not_be_run_is_written_with_a_warning(write: Any) -> None:
    ran = write(lock({**SLACK, "status": "withdrawn"}))

    assert ran.exit_code == 0
    assert "# Warning: slack 1.4.0 is withdrawn: consider another revision.\n" in ran.out
    assert ran.err == "slack 1.4.0 is withdrawn: consider another revision.\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--mount-at", "packs"], "--mount-at packs is no folder"),
        (["--mount-at", "/a,readwrite=true"], "is no folder"),
        (["--mount-at", "/a/../b"], "is no folder"),
        (["--mount-at", "/a:b"], "is no folder"),
        (["--image", "-v"], "--image '-v'"),
        (["--image", "a b"], "--image 'a b'"),
        (["--door", "https://acme.example/v2"], "--door 'https://acme.example/v2'"),
        (["--pull-secret", "My_Secret"], "--pull-secret My_Secret is no name"),
        (["--pull-secret", "pull", "--format", "compose"], "--pull-secret is for Kubernetes"),
    ],
)
def test_an_option_that_no_manifest_can_hold_is_wrong_usage(
    write: Any, options: list[str], said: str
) -> None:
    # One word, so that a value may begin with a hyphen.
    ran = write(
        lock(SLACK), *(f"{name}={text}" for name, text in zip(options[::2], options[1::2], strict=True))
    )

    assert ran.exit_code == 2
    assert said in ran.err


@pytest.mark.parametrize(
    ("document", "exit_code", "said"),
    [
        (lock(), 6, "has no packs"),
        (lock({**SLACK, "image": f"{OWN}@{DIGESTS['jira']}"}), 10, "another digest"),
        (lock({**SLACK, "image": "a b"}), 16, "does not say which image"),
        (lock({**SLACK, "alias": "../etc"}), 12, "is no name of a folder"),
        (lock(SLACK, {**JIRA, "alias": "slack"}), 16, "Two packs of the lock are called 'slack'"),
    ],
)
def test_a_lock_that_cannot_be_mounted_is_refused(
    write: Any, document: Any, exit_code: int, said: str
) -> None:
    ran = write(document)

    assert (ran.exit_code, ran.out) == (exit_code, "")
    assert said in ran.err


def test_a_manifest_is_written_from_the_service_s_lock_into_a_file(packyard: Command, tmp_path: Path) -> None:
    packyard.gateway.instead("GET", r"/agent-roles/support/lock$", lambda _: received(200, lock(SLACK)))
    file = tmp_path / "pod.yaml"

    ran = packyard(
        "role", "manifest", "support", "--format", "kubernetes", "--image", "agent", "-q", "--output", file
    )

    assert (ran.exit_code, ran.out) == (0, f"{file}\n")
    assert yaml.safe_load(file.read_text())["spec"]["volumes"][0]["name"] == "slack"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("slack", "slack"),
        ("A_b", "a-b-"),
        ("a-b", "a-b"),
        ("x" * 63, "x" * 63),
        ("x" * 64, f"{'x' * 54}-"),
        ("...", ""),
    ],
)
def test_names_become_labels_of_dns(name: str, label: str) -> None:
    made = label_of(name)

    assert made.startswith(label)
    assert len(made) <= 63
    assert (made == name) is (label == name)


LOGIN = {
    "registry": "acme.packyard.example",
    "username": "support",
    "password": "login.x.y",
    "expires_at": "2026-01-01T00:15:00Z",
    "docker_config": '{"auths": {"acme.packyard.example": {"auth": "c3VwcG9ydA=="}}}',
}


def test_a_pull_token_is_printed_as_container_tools_read_it(packyard: Command, tmp_path: Path) -> None:
    packyard.gateway.instead("POST", r"/agent-roles/support/pull-token$", lambda _: received(200, LOGIN))
    file = tmp_path / "auth.json"

    printed = packyard("roles", "pull-token", "support")
    written = packyard("roles", "pull-token", "support", "--json", "--output", file)

    assert json.loads(printed.out) == json.loads(file.read_text()) == json.loads(LOGIN["docker_config"])
    assert printed.err == "A login at acme.packyard.example until 2026-01-01T00:15:00Z.\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "login.x.y" not in written.out


def test_a_pull_token_is_a_secret_of_kubernetes(packyard: Command) -> None:
    packyard.gateway.instead("POST", r"/agent-roles/support/pull-token$", lambda _: received(200, LOGIN))

    secret = yaml.safe_load(packyard("roles", "pull-token", "support", "--secret", "packyard-pull").out)

    assert (secret["kind"], secret["metadata"]["name"]) == ("Secret", "packyard-pull")
    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    assert base64.b64decode(secret["data"][".dockerconfigjson"]).decode() == LOGIN["docker_config"]
    assert packyard("roles", "pull-token", "support", "--secret", "Ab").exit_code == 2


def test_the_page_shows_what_the_command_writes(write: Any) -> None:
    page = (Path(__file__).parents[3] / "docs" / "use" / "kubernetes.md").read_text()

    assert f"```yaml\n{write(lock(SLACK)).out}```" in page
