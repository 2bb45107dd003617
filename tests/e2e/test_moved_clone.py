"""A clone that somebody moves goes on working: what was installed in it names its old folder."""

import shutil
import subprocess
import sys
from pathlib import Path

from local.environments import PROJECT


def _set_up(clone: Path) -> None:
    command = [sys.executable, "-m", "local.setup", "sbom"]
    subprocess.run(command, cwd=clone, check=True, capture_output=True, timeout=300)  # noqa: S603 - our own


def _interpreter(program: Path) -> Path:
    return Path(program.read_text().splitlines()[0].removeprefix("#!"))


def test_what_was_installed_is_installed_again_after_a_clone_was_moved(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    shutil.copytree(PROJECT / "local", before / "local")
    shutil.copytree(PROJECT / "layers" / "packyard", before / "layers" / "packyard")
    for name in ("uv.lock", "pyproject.toml"):
        shutil.copy(PROJECT / name, before)
    _set_up(before)
    before.rename(after)

    _set_up(after)

    # Any program that a package brings: this one is boto3's.
    assert _interpreter(after / ".venv" / "bin" / "jp.py") == after / ".venv" / "bin" / "python"
