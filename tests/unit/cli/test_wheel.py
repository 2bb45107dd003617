"""The wheel: what is in it, and that it works outside of this checkout."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.command import pack_folder

PROJECT = Path(__file__).parents[3]
UV = PROJECT / ".venv" / "bin" / "uv"
SERVICE_ONLY = ("composition", "http", "issuer", "operations", "registry", "storage")
# Of these, the wheel has what `packyard admin` imports.
FOR_ADMIN = ("packyard.aws", "packyard.messaging", "packyard.store", "packyard.tenants")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built: list[str | Path] = [
        UV,
        "build",
        "-q",
        "--wheel",
        "--no-build-isolation",
        "--python",
        sys.executable,
        "-o",
        folder,
        PROJECT,
    ]
    subprocess.run(built, check=True)  # noqa: S603 - our own command
    return next(folder.glob("*.whl"))


def test_the_wheel_has_the_command_and_the_domain_and_nothing_of_the_service(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert "packyard_cli/main.py" in names
    assert "packyard/packs/manifest/pack_manifest.py" in names
    assert "packyard/py.typed" in names
    assert "packyard/scanning/rules/secret.toml" in names
    assert "packyard/scanning/lists/pypi.txt" in names
    assert {name.split("/")[0] for name in names} == {
        "packyard",
        "packyard_admin",
        "packyard_cli",
        "packyard-0.1.0.dist-info",
    }
    assert not [
        name for name in names if name.startswith(tuple(f"packyard/{part}/" for part in SERVICE_ONLY))
    ]


def test_the_wheel_has_what_the_operator_s_commands_import_and_no_more(installed: Path) -> None:
    """Import every module of `packyard_admin` in a process that sees the wheel instead of this checkout."""
    code = (
        "import importlib, json, pathlib, sys\n"
        "for file in pathlib.Path(sys.argv[1], 'packyard_admin').glob('*.py'):\n"
        "    importlib.import_module(f'packyard_admin.{file.stem}')\n"
        # A store loads these when it writes.
        "for name in ('event_items', 'key_writes', 'pack_events'):\n"
        "    importlib.import_module(f'packyard.store.{name}')\n"
        "print(json.dumps({name: getattr(module, '__file__', None) for name, module in sys.modules.items()}))"
    )
    ran = run_installed(installed, "-c", code, installed)
    assert ran.returncode == 0, ran.stderr
    loaded = json.loads(ran.stdout)

    there = {
        ".".join(file.relative_to(installed).with_suffix("").parts).removesuffix(".__init__")
        for part in FOR_ADMIN
        for file in (installed / part.replace(".", "/")).rglob("*.py")
    }
    assert there == {name for name in loaded if name.startswith(FOR_ADMIN)}
    assert all(
        Path(file).is_relative_to(installed) for name, file in loaded.items() if name.startswith("packyard")
    )
    assert not {"aws_lambda_powertools", "pydantic"} & loaded.keys()


def test_the_wheel_asks_for_libraries_of_aws_in_an_extra_only(wheel: Path) -> None:
    metadata = zipfile.ZipFile(wheel).read("packyard-0.1.0.dist-info/METADATA").decode()
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist: ")]
    of_aws = [line for line in needed if "boto" in line or "ulid" in line]

    assert "Requires-Python: >=3.11" in metadata
    assert len(of_aws) == 2
    assert all(line.endswith("extra == 'admin'") for line in of_aws)
    assert [line.rpartition("extra == ")[2] for line in needed if "yara" in line] == ["'scan'"]
    assert any(line.startswith("Requires-Dist: cryptography>=46") for line in needed)
    assert "powertools" not in metadata
    assert "pydantic" not in metadata


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    subprocess.run(  # noqa: S603 - our own command
        [
            UV,
            "pip",
            "install",
            "-q",
            "--offline",
            "--no-deps",
            "--target",
            target,
            "--python",
            sys.executable,
            wheel,
        ],
        check=True,
    )
    return target


def run_installed(installed: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Python where the wheel is, instead of this checkout."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "LC_ALL": "C"}
    program = [sys.executable, *arguments]
    return subprocess.run(  # noqa: S603 - our own command
        program, env=environment, cwd=installed, check=False, capture_output=True, text=True
    )


def test_an_installed_wheel_runs_by_itself(installed: Path, tmp_path: Path) -> None:
    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return run_installed(installed, installed / "bin" / "packyard", *arguments)

    assert "packyard 0.1.0" in run("--version").stdout
    helped = run_installed(installed, "-X", "importtime", installed / "bin" / "packyard", "--help")
    assert "exit codes: 0 done" in helped.stdout.lower()
    # What only some commands need takes long to import.
    assert "packyard_cli.trust_line" in helped.stderr
    assert not re.search("cryptography|urllib3|packyard.attestations", helped.stderr)
    checked = run("check", pack_folder(tmp_path / "pack", guides__bad_md="x"))
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "The pack is valid: 3 files" in checked.stdout
