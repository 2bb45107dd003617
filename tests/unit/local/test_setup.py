"""Which Python is told that it is too old, and that the first module can tell it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from local import setup
from local.environments import PROJECT


@pytest.mark.parametrize("version", [(3, 11), (3, 13), (4, 0)])
def test_a_python_that_is_new_enough_gets_no_message(version: tuple[int, int]) -> None:
    assert setup.too_old(version, "python3") is None


@pytest.mark.parametrize("version", [(3, 6), (3, 10)])
def test_the_message_for_an_old_python_says_what_is_needed_and_what_helps(version: tuple[int, int]) -> None:
    complaint = setup.too_old(version, "/usr/bin/python3") or ""

    assert "needs Python 3.11 or newer" in complaint
    assert f"/usr/bin/python3 is 3.{version[1]}" in complaint
    assert "PYTHON=" in complaint
    assert "uv python install" in complaint
    assert "\n" not in complaint


@pytest.mark.parametrize("module", [setup.__file__, Path(setup.__file__).with_name("__init__.py")])
def test_what_runs_first_parses_in_an_old_python(module: str | Path) -> None:
    ast.parse(Path(module).read_text(), feature_version=(3, 7))


def test_what_runs_first_imports_nothing_before_it_has_looked_at_the_version() -> None:
    script = """
import sys
sys.version_info = (3, 6, 9)
import local.setup
before = set(sys.modules)
status = local.setup.main()
assert not [name for name in sys.modules if name not in before], sys.modules
sys.exit(status)
"""
    finished = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", script], cwd=PROJECT, check=False, capture_output=True, text=True, env={}
    )

    assert finished.returncode == 1
    assert finished.stderr.startswith("setup: Packyard needs Python 3.11 or newer, and ")
    assert finished.stderr.count("\n") == 1
