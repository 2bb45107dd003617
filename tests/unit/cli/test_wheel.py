"""The wheel: what is in it, and that it works outside of this checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.command import pack_folder

PROJECT = Path(__file__).parents[3]
UV = PROJECT / ".venv" / "bin" / "uv"
SERVICE_ONLY = (
    "aws",
    "composition",
    "http",
    "issuer",
    "messaging",
    "operations",
    "registry",
    "storage",
    "store",
    "tenants",
)


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
    assert {name.split("/")[0] for name in names} == {"packyard", "packyard_cli", "packyard-0.1.0.dist-info"}
    assert not [
        name for name in names if name.startswith(tuple(f"packyard/{part}/" for part in SERVICE_ONLY))
    ]


def test_the_wheel_asks_for_no_library_of_aws(wheel: Path) -> None:
    metadata = zipfile.ZipFile(wheel).read("packyard-0.1.0.dist-info/METADATA").decode()

    assert "Requires-Python: >=3.11" in metadata
    assert "boto3" not in metadata
    assert "powertools" not in metadata


def test_an_installed_wheel_runs_by_itself(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
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
    environment = {**os.environ, "PYTHONPATH": str(target), "LC_ALL": "C"}

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, target / "bin" / "packyard", *arguments]
        return subprocess.run(  # noqa: S603 - our own command
            program, env=environment, cwd=tmp_path, check=False, capture_output=True, text=True
        )

    assert "packyard 0.1.0" in run("--version").stdout
    assert "exit codes: 0 done" in run("--help").stdout.lower()
    checked = run("check", pack_folder(tmp_path / "pack", guides__bad_md="x"))
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "The pack is valid: 3 files" in checked.stdout
