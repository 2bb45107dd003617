"""INIT of each function beside that of another checkout: `make bench ARGS="--against PATH"`.

Each function of both checkouts is loaded by an interpreter of its own, with the layer that its checkout makes, in turn.
What is compared is processor time, which other work on the machine changes less than it changes wall clock.
"""

import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from local.aws import CREDENTIALS
from local.command import run
from local.emulator import REGION
from local.environments import PROJECT

from bench.processes import measure
from bench.samples import taken_in_turn

# The function that has a layer of its own besides the one of all.
_SCANS: Final = "scan_content"
# What the other checkout gives its functions while their start is measured; an older one has other variables.
_ENVIRONMENT: Final = "import json; from bench.cold_start import ENVIRONMENT; print(json.dumps(ENVIRONMENT))"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checkout:
    """A checkout, its layers and the variables of its functions."""

    folder: Path
    layer: Path
    scanner_layer: Path
    environment: Mapping[str, str]

    def functions(self) -> set[str]:
        return {path.parent.name for path in self.folder.glob("functions/*/app.py")}

    def init_milliseconds(self, name: str) -> float:
        folder = self.folder / "functions" / name
        layers = [self.layer, self.scanner_layer] if name == _SCANS else [self.layer]
        environment = {
            **CREDENTIALS,
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": ":".join(map(str, [folder, *layers])),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_LAMBDA_FUNCTION_NAME": name,
            **self.environment,
        }
        # Without -S the project's own environment would lend what the layer lacks.
        load = [sys.executable, "-S", "-c", "import app"]
        return measure(load, folder=folder, environment=environment).cpu_seconds * 1000


def compare_inits(other: Path, *, rounds: int) -> None:
    """Print each function's INIT in both checkouts, and their ratio.

    Args:
        other: The other checkout's folder.
        rounds: How often each function starts in each checkout.

    Raises:
        CommandFailed: A layer could not be made.
        ProgramFailed: A function did not start.
    """
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = (
            _checkout(path, layers=Path(folder) / name)
            for name, path in (("ours", PROJECT), ("theirs", other.resolve()))
        )
        names = sorted(ours.functions() & theirs.functions())
        starts: dict[tuple[str, str], Callable[[], float]] = {
            (name, whose): partial(checkout.init_milliseconds, name)
            for name in names
            for whose, checkout in (("ours", ours), ("theirs", theirs))
        }
        # The first reading of a file comes from the disk.
        taken_in_turn(starts, rounds=1)
        medians = {
            start: statistics.median(taken) for start, taken in taken_in_turn(starts, rounds=rounds).items()
        }
    print(f"milliseconds of processor time, medians of {rounds}\n{'':18}{'theirs':>8}{'ours':>8}{'ratio':>7}")
    for name in names:
        mine, before = medians[name, "ours"], medians[name, "theirs"]
        print(f"{name:18}{before:8.0f}{mine:8.0f}{mine / before:7.2f}")


def _checkout(folder: Path, *, layers: Path) -> _Checkout:
    made = {name: layers / name / "python" for name in ("packyard", "scanner")}
    for name, output in made.items():
        assemble = [sys.executable, "-m", "layers.packyard.assemble", "--layer", name, "--target", "local"]
        run([*assemble, "--output", output], folder=folder)
    stated = run([sys.executable, "-c", _ENVIRONMENT], folder=folder)
    return _Checkout(
        folder=folder,
        layer=made["packyard"],
        scanner_layer=made["scanner"],
        environment=json.loads(stated),
    )
