"""Counts what the reliability suite has tried, in the directory that `PACKYARD_TALLY` names, if it is set."""

import json
import os
from collections import Counter
from pathlib import Path


def count(what: str, number: int = 1) -> None:
    """Add to a count. Each process has its own file, so that several can count at once."""
    directory = os.environ.get("PACKYARD_TALLY")
    if directory is None:
        return
    with (Path(directory) / f"{os.getpid()}.jsonl").open("a") as lines:
        lines.write(json.dumps({"what": what, "number": number}) + "\n")


def totals(directory: Path) -> dict[str, int]:
    """Return the sums of what all processes have counted."""
    sums: Counter[str] = Counter()
    for path in directory.glob("*.jsonl"):
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            sums[entry["what"]] += entry["number"]
    return dict(sorted(sums.items()))
