"""What is said of the environments is so."""

import subprocess
from pathlib import Path

import pytest
from local.environments import LOCAL, PROJECT, SIZES, node, node_environment, stands_of
from local.needs import NEEDS


def _megabytes(folder: Path) -> float:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files if "__pycache__" not in path.parts) / 1e6


@pytest.mark.parametrize("name", ["uv", "emulator", "sam"])
def test_a_tool_s_stated_size_is_about_its_real_size(name: str) -> None:
    assert _megabytes(LOCAL / "tools" / name) == pytest.approx(SIZES[name], rel=0.3)


def test_the_development_packages_stated_size_is_about_their_real_size() -> None:
    assert _megabytes(PROJECT / ".venv") == pytest.approx(SIZES["all development packages"], rel=0.3)


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_stamp_that_an_interrupt_has_cut_off_says_nothing(text: str, tmp_path: Path) -> None:
    stamp = tmp_path / "prepared.json"
    stamp.write_text(text)

    assert stands_of(stamp) == {}
    assert stands_of(tmp_path / "absent") == {}


@pytest.mark.parametrize("target", NEEDS)
def test_every_tool_has_a_size_and_locked_requirements(target: str) -> None:
    for name in NEEDS[target].tools:
        assert name in SIZES
        assert (PROJECT / "local" / f"requirements-{name}.txt").exists()


def test_node_trusts_the_system_s_certificates_besides_its_own() -> None:
    ask = "const {getCACertificates: of} = require('tls'); of('default').length > of('bundled').length"
    variables = {name: value for name, value in node_environment().items() if name != "NODE_EXTRA_CA_CERTS"}
    command: list[str | Path] = [node("console"), "--print", ask]

    said = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)  # noqa: S603 - ours

    assert said.stdout == "true\n"
