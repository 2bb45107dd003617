"""`packyard install --from`: a role's bundle, on a machine without a network."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from tests.attesting import Attesting
from tests.bundles import Member, bundle_members, bundle_of
from tests.command import Command
from tests.role_contract import RoleContract
from tests.service import PackArchive, Service


@pytest.fixture
def contract(service: Service, packyard: Command) -> RoleContract:
    packyard.gateway.signs = True
    return RoleContract(service, packyard.gateway)


@pytest.fixture
def lock(contract: RoleContract, service: Service) -> dict[str, Any]:
    """A role that pins two packs about whose images everything is signed; its lock."""
    files = {"scripts/run.sh": b"#!/bin/sh\n", "data/empty": b""}
    ids = [
        service.upload(PackArchive(name="slack").build()).body["id"],
        service.upload(PackArchive(name="jira", files=files).build()).body["id"],
    ]
    Attesting(service).carry()
    return contract.pin("support", *ids)


@pytest.fixture
def members(service: Service, lock: dict[str, Any]) -> list[Member]:
    return bundle_members(service, lock)


@pytest.fixture
def offline(packyard: Command, members: list[Member]) -> Command:
    """The command on a machine that trusts the deployment's keys, and reaches nothing."""
    assert members
    packyard("keys", "list")
    packyard.gateway.service = None
    packyard.gateway.answers.clear()
    del packyard.environment["PACKYARD_URL"]
    return packyard


def _install(packyard: Command, bundle: bytes, tmp_path: Path, *more: str) -> Any:
    file = tmp_path / "bundle.tar"
    file.write_bytes(bundle)
    into = tmp_path / "packs"
    return packyard("install", "support", "--from", file, "--offline", "--into", into, "--json", *more)


def test_a_bundle_is_installed_without_a_network(
    offline: Command, members: list[Member], lock: dict[str, Any], tmp_path: Path
) -> None:
    ran = _install(offline, bundle_of(members), tmp_path)

    assert ran.exit_code == 0, ran.err
    assert json.loads((tmp_path / "packs" / "packyard.lock").read_bytes()) == lock
    assert (tmp_path / "packs" / "jira" / "scripts" / "run.sh").read_bytes() == b"#!/bin/sh\n"
    assert offline("verify", tmp_path / "packs").exit_code == 0


def test_what_is_signed_comes_with_the_bundle(
    packyard: Command, members: list[Member], tmp_path: Path
) -> None:
    packyard("install", "support", "--into", tmp_path / "trusting")
    packyard.environment["PACKYARD_CACHE_DIR"] = str(tmp_path / "another-cache")
    sent = len(packyard.gateway.sent)
    without = [member for member in members if b"dsseEnvelope" not in member[1]]

    proved = _install(packyard, bundle_of(members), tmp_path, "--require-provenance")
    unproved = _install(packyard, bundle_of(without), tmp_path, "--require-provenance")

    assert proved.exit_code == 0, proved.out
    assert {pack["provenance"] for pack in proved.document["packs"]} == {"proved"}
    assert (unproved.exit_code, unproved.document["error"]["code"]) == (19, "not_signed")
    assert len(packyard.gateway.sent) == sent


def test_a_changed_bundle_is_refused_and_nothing_is_installed(
    packyard: Command, members: list[Member], lock: dict[str, Any], tmp_path: Path
) -> None:
    packyard("install", "support", "--into", tmp_path / "trusting")
    packyard.environment["PACKYARD_CACHE_DIR"] = str(tmp_path / "another-cache")
    pack = lock["packs"][0]
    layer = pack["layers"][0]["digest"].replace(":", "/")
    changed = {
        layer: 10,
        pack["image_digest"].replace(":", "/"): 10,
        next(name for name, content in members if b"dsseEnvelope" in content): 10,
        "lock.json": 10,
    }

    for wanted, exit_code in changed.items():
        bundle = bundle_of(
            (name, _changed(content) if name.endswith(wanted) else content) for name, content in members
        )
        ran = _install(packyard, bundle, tmp_path)
        assert ran.exit_code == exit_code, (wanted, ran.out)
    packyard.environment["PACKYARD_CACHE_DIR"] = str(tmp_path / "empty-cache")
    lacking = _install(packyard, bundle_of(each for each in members if not each[0].endswith(layer)), tmp_path)

    assert (lacking.exit_code, lacking.document["error"]["code"]) == (8, "not_cached")
    assert layer.replace("/", ":") in lacking.document["error"]["message"]
    assert not (tmp_path / "packs").exists()


def _changed(content: bytes) -> bytes:
    return content[:-9] + b"x" + content[-8:]


def test_a_bundle_that_is_none_is_refused(offline: Command, members: list[Member], tmp_path: Path) -> None:
    link = io.BytesIO(bundle_of(members))
    with tarfile.open(fileobj=link, mode="a") as tar:
        info = tarfile.TarInfo("lock.json")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    refused = {
        "no tar archive": b"not a tar archive" * 100,
        "no lock.json": bundle_of(member for member in members if member[0] != "lock.json"),
        "no plain file": link.getvalue(),
        "no JSON": bundle_of([("lock.json", b"{")]),
    }

    for told, bundle in refused.items():
        ran = _install(offline, bundle, tmp_path)
        assert (ran.exit_code, told in ran.document["error"]["message"]) == (3, True), (told, ran.out)
    other = offline(
        "install", "sales", "--from", tmp_path / "bundle.tar", "--offline", "--into", tmp_path / "x"
    )
    assert other.exit_code == 3
    nothing = offline(
        "install", "sales", "--from", tmp_path / "nothing", "--offline", "--into", tmp_path / "x"
    )
    assert nothing.exit_code == 2
    (tmp_path / "bundle.tar").write_bytes(bundle_of(members))
    role = offline(
        "install", "sales", "--from", tmp_path / "bundle.tar", "--offline", "--into", tmp_path / "x"
    )
    assert (role.exit_code, "the bundle of 'support'" in role.err) == (16, True)
