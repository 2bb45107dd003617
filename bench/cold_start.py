"""INIT of each built function under Lambda's own runtime client: the section `cold_start` of the results.

The runtime interface emulator starts a function at its first invocation. A meaningless event is refused at once. So
the difference between the first invocation and a later one is the start: the interpreter, the runtime client, and the
function's own INIT.
"""

import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

from local.environments import PROJECT
from local.function import running_function

from bench.samples import summary, taken_in_turn
from packyard.composition.settings import required

_BASELINE: Final = "boto3_client"
_BASELINE_FOLDER: Final = Path(__file__).parent / _BASELINE
_NOWHERE: Final = "http://127.0.0.1:9"
# The settings that a function reads while it starts. Nothing listens at these addresses.
ENVIRONMENT: Final = {"AWS_ENDPOINT_URL": _NOWHERE, **dict.fromkeys(required(), _NOWHERE)}


def measure_cold_starts(*, rounds: int) -> dict[str, Any]:
    """Return the median milliseconds of each function's INIT, and of one that only makes a boto3 client.

    Args:
        rounds: How often each is started.
    """
    names = sorted(path.parent.name for path in (PROJECT / "functions").glob("*/app.py"))
    starts = {_BASELINE: partial(_start_seconds, _BASELINE, _BASELINE_FOLDER)} | {
        name: partial(_start_seconds, name, None) for name in names
    }
    # New files are read from the disk once before measuring.
    taken_in_turn(starts, rounds=1)
    samples = taken_in_turn(starts, rounds=rounds)
    baseline = statistics.median(samples.pop(_BASELINE))
    print(f"\none boto3 client {baseline:14.3f} s")
    section: dict[str, Any] = {}
    for name, taken in samples.items():
        median = statistics.median(taken)
        print(f"  {name:16} {summary(taken)}  {median / baseline:.2f}", flush=True)
        section[name] = {"init_ms": round(median * 1000, 1)}
    return section | {"boto3_client_only_ms": round(baseline * 1000, 1)}


def _start_seconds(name: str, folder: Path | None) -> float:
    with (
        tempfile.TemporaryDirectory() as logs,
        running_function(
            name, environment=ENVIRONMENT, log_path=Path(logs) / "log", folder=folder
        ) as function,
    ):
        first, second = _invocation(function.invoke), _invocation(function.invoke)
    return first - second


def _invocation(invoke: Any) -> float:
    started = time.perf_counter()
    invoke({})
    return time.perf_counter() - started
