"""How many processors a build uses."""

import os
from typing import Final

# Lambda gives a function two to six, by its memory size. Each more would cost a build memory.
_FEWEST: Final = 2
_MOST: Final = 6


def usable_processors() -> int:
    """Return how many processors this process may run on: at least 2, since a thread may wait for a disk, at most 6.

    A quota on processor time (cgroup) is not looked at: threads beyond it take their turns, and do not slow each other.
    """
    # Python 3.13 has os.process_cpu_count, and Linux alone has what it asks.
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity is not None else os.cpu_count() or _FEWEST
    return min(max(count, _FEWEST), _MOST)
