"""Nothing is installed that is not locked, by version and by hash."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
from layers.packyard.assemble import TARGETS, install_dependencies
from local import environments

PROJECT: Final = Path(environments.PROJECT)
LOCKED_TOOLS: Final = sorted((PROJECT / "local").glob("requirements-*.txt"))
_PINNED = re.compile(r"(?P<name>[a-z0-9-]+)(\[[a-z0-9,-]+\])?==[^ ;]+( ;.*)?")
_NAME = re.compile(r"^[A-Za-z0-9._-]+")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def _lock() -> dict[str, Any]:
    return tomllib.loads((PROJECT / "uv.lock").read_text())


def test_every_artefact_in_the_lock_has_a_hash_and_comes_from_pypi() -> None:
    packages = [package for package in _lock()["package"] if package["name"] != "packyard"]

    assert packages
    for package in packages:
        assert package["source"] == {"registry": "https://pypi.org/simple"}
        artefacts = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        assert artefacts
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", artefact["hash"]) for artefact in artefacts)


@pytest.mark.parametrize("path", LOCKED_TOOLS, ids=lambda path: path.stem)
def test_every_line_of_a_tool_s_lock_is_a_version_with_hashes(path: Path) -> None:
    text = path.read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]

    assert lines
    for line in lines:
        requirement, *hashes = re.split(r"\s+(?=--hash)", line.strip())
        assert _PINNED.fullmatch(requirement.strip())
        assert hashes
        assert all(_HASH.fullmatch(text.strip()) for text in hashes)


def test_every_tool_that_is_asked_for_is_locked() -> None:
    for asked in (PROJECT / "local").glob("requirements-*.in"):
        names = [line for line in asked.read_text().splitlines() if line and not line.startswith("#")]
        locked = asked.with_suffix(".txt").read_text()
        for name in names:
            wanted = re.escape(_NAME.findall(name)[0])
            assert re.search(rf"^{wanted}[=\[]", locked, re.MULTILINE)


def test_the_layer_takes_nothing_but_wheels_whose_hashes_are_locked(tmp_path: Path) -> None:
    said = tmp_path / "said"
    uv = tmp_path / "uv"
    uv.write_text(f'#!/bin/sh\necho "$@" >> {said}\n')
    uv.chmod(0o755)

    install_dependencies(tmp_path / "layer", target=TARGETS["lambda"], uv=uv)

    exported, installed = said.read_text().splitlines()
    assert "--frozen" in exported
    assert {"--require-hashes", "--no-deps"} <= set(installed.split())
    assert "--only-binary :all:" in installed


def test_every_environment_is_installed_by_hash() -> None:
    source = Path(environments.__file__).read_text()

    # `uv sync --frozen` checks against the lock's hashes itself.
    assert source.count('"install"') == source.count('"--require-hashes"') == 2
    assert '"sync", "-q", "--frozen"' in source
