"""Draws the results: `python chart.py RESULTS.json CHART.png`, in the benchmark's own environment."""

import json
import sys
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

_OURS: Final = "#1f6f8b"
_OTHERS: Final = "#c9c9c9"
_NAMES: Final = {
    "packyard_s": "Packyard",
    "umoci_skopeo_s": "umoci + skopeo",
    "buildah_s": "buildah",
    "oras_push_s": "oras (push only)",
    "gunzip_sha256_s": "gunzip + sha256 only",
}


def draw(results: dict[str, Any], path: Path) -> None:
    """Write the chart of the results."""
    figure, axes = plt.subplot_mosaic(
        [["build", "start"], ["goals", "start"]], figsize=(14, 9), layout="constrained"
    )
    _draw_build(axes["build"], results.get("build", {}).get("pack", {}))
    _draw_goals(axes["goals"], results.get("goals", {}))
    _draw_cold_start(axes["start"], results.get("cold_start", {}))
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _draw_build(axes: Axes, seconds: dict[str, float]) -> None:
    bars = [(label, seconds[key]) for key, label in _NAMES.items() if key in seconds]
    _bars(axes, bars, unit="s", ours={"Packyard"})
    axes.set_title("280 MB in 8,500 files: archive to pushed image")


def _draw_goals(axes: Axes, goals: dict[str, dict[str, float]]) -> None:
    """Draw what was measured as a part of each goal."""
    bars = [(what, values["measured"] / values["goal"]) for what, values in goals.items()]
    _bars(axes, bars, unit="", ours={what for what, part in bars if part <= 1})
    axes.axvline(1, color="black", linewidth=1)
    axes.set_title("What was measured, as a part of its goal: up to the line is met")


def _draw_cold_start(axes: Axes, section: dict[str, Any]) -> None:
    bars = [(name, entry["init_ms"]) for name, entry in section.items() if isinstance(entry, dict)]
    ours = {name for name, _ in bars}
    bars.sort(key=lambda bar: bar[1])
    if "boto3_client_only_ms" in section:
        bars.insert(0, ("one boto3 client, nothing else", section["boto3_client_only_ms"]))
    _bars(axes, bars, unit="ms", ours=ours)
    axes.set_title("INIT of each function")


def _bars(axes: Axes, bars: list[tuple[str, float]], *, unit: str, ours: set[str]) -> None:
    labels = [label for label, _ in bars]
    drawn = axes.barh(labels, [value for _, value in bars])
    for bar, label in zip(drawn, labels, strict=True):
        bar.set_color(_OURS if label in ours else _OTHERS)
    axes.bar_label(drawn, fmt=f"%.3g {unit}".rstrip(), padding=3)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel(unit)
    axes.margins(x=0.15)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
