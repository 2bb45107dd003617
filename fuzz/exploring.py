"""Runs of the fuzzer. libFuzzer ends its process, so each target has its own process."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Final

_HERE: Final = Path(__file__).resolve().parent
_PROJECT: Final = _HERE.parent
CORPUS: Final = _HERE / "corpus"
TARGETS: Final = tuple(
    sorted(path.stem for path in (_HERE / "targets").glob("*.py") if not path.stem.startswith("_"))
)

# For one input. The slowest legitimate input takes a hundredth of this.
SECONDS: Final = 5
MAX_BYTES: Final = 16 << 10
# Larger inputs are not kept, because fuzzing finds them again soon.
_KEPT_BYTES: Final = 2560
_MODULE: Final = "fuzz.targets."
_PLACES: Final = ("", "layers/packyard/python", "cli")
_SPEED = re.compile(r"^(#\d+.*DONE.*)$", re.MULTILINE)


class Finding(Exception):
    """An input broke a target. The message is the fuzzer's report."""


def load(target: str) -> ModuleType:
    """Return a target by its name, or by a module's name if it has a dot."""
    return importlib.import_module(target if "." in target else _MODULE + target)


def kept_inputs(target: str) -> list[Path]:
    """Return the committed inputs of a target."""
    return sorted(path for path in (CORPUS / target).glob("*") if path.is_file())


def explore(target: str, *, runs: int, seed: int = 0, folder: Path | None = None) -> str:
    """Try a number of inputs on a target and return the fuzzer's last line.

    Args:
        target: Its name.
        runs: How many inputs.
        seed: For the fuzzer's choices; 0 lets it choose one.
        folder: Where new inputs and findings go; `.local/fuzz/<target>` by default.

    Raises:
        Finding: One broke it.
    """
    folder = folder or _PROJECT / ".local" / "fuzz" / target
    (folder / "new").mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as starts:
        _lay_out(target, Path(starts))
        report = _run_fuzzer(target, [f"-runs={runs}", f"-seed={seed}", "new", starts], folder)
    finished = _SPEED.search(report)
    return finished[1] if finished else report[-200:]


def merge(target: str) -> int:
    """Add the new inputs that reach code which neither seeds nor kept inputs reach to the committed corpus.

    Returns:
        How many inputs that were.

    Raises:
        Finding: One broke the target.
    """
    found = _PROJECT / ".local" / "fuzz" / target / "new"
    with TemporaryDirectory() as known:
        _lay_out(target, Path(known))
        before = {path.name for path in Path(known).iterdir()}
        _run_fuzzer(target, ["-merge=1", known, str(found)], Path(known))
        new = {path.name for path in Path(known).iterdir()} - before
        (CORPUS / target).mkdir(parents=True, exist_ok=True)
        small = [name for name in new if Path(known, name).stat().st_size <= _KEPT_BYTES]
        for name in small:
            shutil.copyfile(Path(known, name), CORPUS / target / name)
    shutil.rmtree(found)
    return len(small)


def _lay_out(target: str, folder: Path) -> None:
    """Write a target's seeds and kept inputs to a folder."""
    inputs = [*load(target).seeds(), *(path.read_bytes() for path in kept_inputs(target))]
    for number, data in enumerate(inputs):
        if len(data) <= MAX_BYTES:
            (folder / f"{number:04}").write_bytes(data)


def _run_fuzzer(target: str, arguments: list[str], folder: Path) -> str:
    """Run the fuzzer in a folder; return its report."""
    bounds = [f"-timeout={SECONDS}", "-rss_limit_mb=0", f"-max_len={MAX_BYTES}"]
    finished = subprocess.run(
        [sys.executable, "-m", "fuzz.instrumented", target, *bounds, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(_PROJECT / place) for place in _PLACES)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    report = finished.stdout.decode(errors="replace")
    if finished.returncode:
        raise Finding(report)
    return report
