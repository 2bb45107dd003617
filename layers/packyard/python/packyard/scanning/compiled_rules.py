"""The compiled rules in a file, so that a process need not compile them, which takes about a second.

The build of the scanner's layer runs `python -m packyard.scanning.compiled_rules FILE`; the command keeps the file in
its cache. A file of other rules or of another engine is not used. It is the same for every processor: it has yara-x's
own code and WebAssembly.
"""

import os
import sys
import tempfile
from collections.abc import Collection
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from packyard.scanning.catalogue import Rule, load_rules
from packyard.scanning.engine import Engine, EngineMissing
from packyard.scanning.rules_version import ENGINE_VERSION, RULES_DIGEST

# Beside yara-x, where the build of the layer has put it (`layers/packyard/assemble.py`).
_SHIPPED: Final = "packyard_rules.bin"
_HEAD: Final = f"packyard rules {RULES_DIGEST} for yara-x {ENGINE_VERSION}\n".encode()


def engine_from(
    file: Path | None = None, *, keep: bool = False, rules: Collection[Rule] | None = None
) -> Engine:
    """Return an engine for all rules.

    Args:
        file: Where they may be compiled; None for beside yara-x. Whoever can write it decides what is found, so a file
            elsewhere is in the user's own folder.
        keep: Whether to write the file if it has to be compiled; a folder that cannot be written is no fault.
        rules: Other rules than all, for tests.

    Raises:
        EngineMissing: yara-x is not installed.
    """
    rules = load_rules().values() if rules is None else rules
    file = _shipped() if file is None else file
    try:
        content = file.read_bytes()
    except OSError:
        content = b""
    if content.startswith(_HEAD):
        with suppress(Exception):  # whatever yara-x says of a damaged file, compiling helps
            return Engine(rules, content[len(_HEAD) :])
    engine = Engine(rules)
    if keep:
        _write(file, _HEAD + engine.compiled())
    return engine


def _shipped() -> Path:
    engine = find_spec("yara_x")
    if engine is None or engine.origin is None:
        raise EngineMissing("yara-x is not installed")
    return shipped_with(Path(engine.origin).parents[1])


def shipped_with(folder: Path) -> Path:
    """Return where the compiled rules are, if yara-x is in this folder and a build has put them there."""
    return folder / _SHIPPED


def _write(file: Path, content: bytes) -> None:
    """Write a file as a whole, so that no other process reads a part of it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    except OSError:
        return
    try:
        with os.fdopen(descriptor, "wb") as written:
            written.write(content)
        Path(name).replace(file)
    except OSError:
        Path(name).unlink(missing_ok=True)


def main() -> None:
    """Write the file that the command line names."""
    _write(Path(sys.argv[1]), _HEAD + Engine(load_rules().values()).compiled())


if __name__ == "__main__":
    main()
