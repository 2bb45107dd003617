"""Draws a load over time: `python chart.py OVER_TIME.json CHART.png`, in the benchmark's own environment."""

import json
import sys
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

_OURS: Final = "#1f6f8b"
_PALE: Final = "#9cc4d1"
_ERRORS: Final = "#b8442c"
_OTHERS: Final = "#c9c9c9"
_SLICE_SECONDS: Final = 10


def draw(over_time: dict[str, Any], path: Path) -> None:
    """Write the chart: latency, errors, memory."""
    figure, (latency, errors, memory) = plt.subplots(
        3, 1, figsize=(11, 8), sharex=True, constrained_layout=True, height_ratios=(3, 1, 2)
    )
    slices = over_time["requests"]
    at = [part["at"] + _SLICE_SECONDS / 2 for part in slices]
    latency.plot(at, [part["p95_ms"] for part in slices], color=_PALE, label="p95")
    latency.plot(at, [part["p50_ms"] for part in slices], color=_OURS, label="p50")
    latency.set_ylabel("ms")
    latency.set_title("Latency from when a request was due, for each 10 s")
    latency.legend(frameon=False)
    errors.bar(at, [part["errors"] for part in slices], width=0.8 * _SLICE_SECONDS, color=_ERRORS)
    errors.set_title("Answered 502, 503 or 504")
    seconds = [sample[0] for sample in over_time["memory"]]
    memory.plot(seconds, [sample[1] for sample in over_time["memory"]], color=_OURS, label="all functions")
    memory.plot(
        seconds,
        [sample[2] for sample in over_time["memory"]],
        color=_OTHERS,
        label="the emulator, with all that it holds",
    )
    memory.set_ylabel("MB")
    memory.set_xlabel("s")
    memory.set_title("Resident memory")
    memory.legend(frameon=False)
    for axes in (latency, errors, memory):
        _tidy(axes)
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_ylim(bottom=0)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
