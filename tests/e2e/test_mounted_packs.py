"""What a role pins, mounted from the digests in its lock by the manifest that the command writes."""

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from local.programs import find, program
from local.stack import StackDescription
from tests.command import pack_folder
from tests.e2e.client import Client
from tests.witnesses import run as run_witness

from packyard_cli.context import Context
from packyard_cli.main import run
from packyard_cli.printing import Printer

ROLE = "mounter"
AGENT = "localhost/agent:1"
# Limits may not be raised everywhere, and there is no systemd that could make control groups.
CONTAINERS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "none"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
STORAGE = '[storage]\ndriver = "vfs"\ngraphroot = "{folder}/root"\nrunroot = "{folder}/run"\n'
# Only what a shell has built in, since the agent's image has nothing else.
PROBE = """\
read -r line </packs/by-alias/guides/post.md && echo "$line"
/packs/by-alias/scripts/run.sh
(echo more >/packs/by-alias/guides/new.md) 2>/dev/null || echo read-only
"""


@pytest.fixture
def packyard(stack: StackDescription, tmp_path: Path) -> Any:
    """The command, with what it prints."""
    environment = {
        "PACKYARD_URL": stack["api_url"],
        "PACKYARD_TOKEN": stack["orgs"]["acme"]["keys"]["full_access"],
        "PACKYARD_CONFIG_DIR": str(tmp_path / "config"),
        "PACKYARD_NO_KEYRING": "1",
    }

    def call(*arguments: str | Path) -> str:
        out, err = io.StringIO(), io.StringIO()
        context = Context(environment=environment, printer=Printer(out=out, err=err), stdin=io.StringIO())
        assert run([str(argument) for argument in arguments], context) == 0, err.getvalue()
        return out.getvalue()

    return call


@pytest.fixture
def place() -> Iterator[Path]:
    # podman takes no path over 50 characters.
    with TemporaryDirectory(prefix="mount-") as folder:
        yield Path(folder)


def agent_image() -> bytes:
    """Return a file system that has a shell and its libraries, as a tar archive."""
    listed = subprocess.run(["/usr/bin/ldd", "/bin/sh"], capture_output=True, text=True, check=True).stdout
    files = ["/bin/sh", *(word for word in listed.split() if word.startswith("/"))]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as tar:
        for file in files:
            tar.add(file, arcname=file.lstrip("/"))
    return buffer.getvalue()


def by_podman(script: str, place: Path, *, login: Path, door: str) -> str:
    """Run a manifest for podman with a storage of its own, and return what the container says."""
    (place / "containers.conf").write_text(CONTAINERS)
    (place / "storage.conf").write_text(STORAGE.format(folder=place))
    (place / "registries.conf").write_text(f'[[registry]]\nlocation = "{door}"\ninsecure = true\n')
    environment: Mapping[str, str] = {
        **os.environ,
        "CONTAINERS_CONF": str(place / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(place / "storage.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(place / "registries.conf"),
        "REGISTRY_AUTH_FILE": str(login),
    }
    subprocess.run(  # noqa: S603 - our own arguments
        [program("podman"), "import", "-q", "-", AGENT],
        input=agent_image(),
        env=environment,
        check=True,
        capture_output=True,
        timeout=120,
    )
    ended = subprocess.run(  # noqa: S603 - likewise
        ["/bin/sh", "-s", "/bin/sh", "-c", PROBE],
        input=script,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_pack_is_mounted_by_the_digest_in_the_lock(
    acme: Client, packyard: Any, tmp_path: Path, place: Path
) -> None:
    folder = pack_folder(tmp_path / "pack", name="mounted-pack", scripts__run_sh="#!/bin/sh\necho ran\n")
    (folder / "scripts" / "run.sh").chmod(0o755)
    pack = json.loads(packyard("push", folder, "--json"))["pack"]
    pinned = [{"id": pack["id"], "alias": "by-alias"}]
    assert acme.call("PUT", f"/agent-roles/{ROLE}/packs", json={"packs": pinned}).status == 200
    login = tmp_path / "auth.json"
    packyard("roles", "pull-token", ROLE, "--output", login)
    (door,) = json.loads(login.read_text())["auths"]
    lock = tmp_path / "packyard.lock"
    packyard("lock", ROLE, "--output", lock)
    (locked,) = json.loads(lock.read_text())["packs"]

    written = packyard(
        *("roles", "manifest", ROLE, "--lock", lock, "--format", "podman"), "--image", AGENT, "--door", door
    )

    reference = f"{door}/acme/mounted-pack@{locked['image_digest']}"
    assert f"--mount=type=image,source={reference},destination=/packs/by-alias" in written
    if os.geteuid() == 0 and find("podman") and find("runc"):
        assert by_podman(written, place, login=login, door=door) == "# Post\nran\nread-only\n"
    else:
        # Where no container can be run, what would be mounted is at least pulled with that login.
        source, target = f"docker://{reference}", f"oci:{tmp_path / 'layout'}:pulled"
        run_witness(
            "skopeo", "copy", "--all", "--src-tls-verify=false", "--authfile", str(login), source, target
        )
