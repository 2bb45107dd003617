"""The layer as AWS gets it, without the bytecode: that takes the template's Python, which not every machine has."""

import hashlib
import json
import os
import re
import tomllib
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from layers.packyard.assemble import SERVICES, TARGETS, assemble, install_dependencies
from layers.packyard.materials import bill_of_materials
from layers.packyard.toolchain import PROJECT, find_uv
from local.environments import prepare
from tests.aws import template

MEGABYTE = 1_000_000
# ELF header, e_machine at offset 18 (ELF-64 Object File Format; AArch64's number is from Arm's ABI supplement).
AARCH64 = (183).to_bytes(2, "little")


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    prepare()
    return _assembled(tmp_path_factory.mktemp("layer"))


def _assembled(folder: Path) -> Path:
    assemble(folder, target=TARGETS["lambda"], uv=find_uv(environment=os.environ), python=None)
    return folder


def _contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_it_is_built_for_the_template_s_runtime() -> None:
    assert f"python{TARGETS['lambda'].python}" == template()["Globals"]["Function"]["Runtime"]


def test_every_native_module_is_for_arm64_and_the_runtime(layer: Path) -> None:
    native = list(layer.rglob("*.so"))

    assert native
    assert {module.read_bytes()[18:20] for module in native} == {AARCH64}
    # abi3: the stable ABI, which every later Python has (PEP 384).
    assert all("cpython-313-aarch64" in module.name or ".abi3." in module.name for module in native)


def test_it_takes_a_seventh_of_what_lambda_allows(layer: Path) -> None:
    # 250 MB unzipped, function and layers together ("Lambda quotas"); bytecode will add about a third of this again.
    # Some 14 MB are the cryptography that JWTs are checked with; nothing loads them before the first JWT.
    size = sum(path.stat().st_size for path in layer.rglob("*") if path.is_file())

    assert size < 35 * MEGABYTE


def test_of_the_services_only_ours_are_described(layer: Path) -> None:
    described = {path.name for path in (layer / "botocore" / "data").iterdir() if path.is_dir()}

    assert described == SERVICES


def test_every_service_that_is_called_is_described() -> None:
    modules = (PROJECT / "layers" / "packyard" / "python" / "packyard" / "composition").glob("*.py")
    called = {name for module in modules for name in re.findall(r'client\("([a-z0-9]+)"', module.read_text())}

    assert {"dynamodb", "secretsmanager"} <= called
    assert called <= SERVICES


def test_building_again_gives_the_same_bytes(layer: Path, tmp_path: Path) -> None:
    assert _contents(_assembled(tmp_path)) == _contents(layer)


def test_the_bill_of_materials_states_what_is_installed_with_the_hashes_that_it_was_locked_by(
    tmp_path: Path,
) -> None:
    uv = find_uv(environment=os.environ)
    install_dependencies(tmp_path, target=TARGETS["lambda"], uv=uv)
    installed = {
        (metadata["Name"].lower().replace("_", "-").replace(".", "-"), metadata["Version"])
        for path in tmp_path.glob("*.dist-info/METADATA")
        for metadata in [message_from_string(path.read_text())]
    }
    bill = bill_of_materials()
    stated = {(part["name"], part["version"]): part for part in bill["components"]}

    assert (
        JsonStrictValidator(SchemaVersion.V1_5).validate_str(json.dumps(_with_few_references(bill))) is None
    )
    assert stated.keys() == installed
    locked = {
        package["name"]: package for package in tomllib.loads((PROJECT / "uv.lock").read_text())["package"]
    }
    for (name, version), part in stated.items():
        assert part["purl"] == f"pkg:pypi/{name}@{version}"
        assert {
            f"sha256:{stated['content']}" for file in part["externalReferences"] for stated in file["hashes"]
        } == {
            artefact["hash"]
            for artefact in [*locked[name]["wheels"], *filter(None, [locked[name].get("sdist")])]
        }


def _with_few_references(bill: dict[str, Any]) -> dict[str, Any]:
    """Return a bill with at most two references of each part, the rest of which have the same fields.

    The validator compares each reference of a part with every other, which takes a minute for a hundred of them.
    """
    parts = []
    for part in bill["components"]:
        references = part["externalReferences"]
        assert len({tuple(sorted(reference)) for reference in references}) == 1
        assert len({reference["type"] for reference in references}) == 1
        parts.append({**part, "externalReferences": references[:2]})
    return {**bill, "components": parts}


def test_the_bill_of_materials_is_the_same_each_time() -> None:
    assert bill_of_materials() == bill_of_materials()
