"""The cost of a search among a hundred packs of an organisation to ten thousand: the section `search` of the results.

The built function runs under Lambda's own runtime client, with a meter between it and the table. A quarter of the packs
is shared, so that a search reads both parts of the index. Of the index, only what the searches look at is written, so
that the table is made in minutes. Words are drawn as in real text, where a word's frequency is
about inverse to its rank (Zipf's law).
"""

import json
import time
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from local.function import Function
from tests.gateway import Request
from tests.service import ACME

from bench.many_packs import WORDS, packs, write
from bench.meter import Meter
from bench.metered_function import metered_function
from bench.processes import ProgramFailed

_SIZES: Final = (100, 1_000, 10_000)
_OK: Final = 200


# Nearly every pack has the first word, one in a few hundred the middle one, and a few among ten thousand the rare one.
_COMMON, _MIDDLE, _RARE = WORDS[0], WORDS[250], WORDS[4_500]
_SEARCHES: Final[dict[str, dict[str, str]]] = {
    "rare_word": {"search": _RARE},
    "middle_word": {"search": _MIDDLE},
    "common_word": {"search": _COMMON},
    "start_of_a_word": {"search": _MIDDLE[:3]},
    "one_letter": {"search": "b"},
    "common_and_rare": {"search": f"{_COMMON} {_RARE}"},
    "three_common": {"search": " ".join(WORDS[:3])},
    "common_in_a_tier": {"search": _COMMON, "tier": "verified"},
    "no_such_word": {"search": "xyzzy"},
}


def measure_searching(*, folder: Path, rounds: int) -> dict[str, dict[str, Any]]:
    """Return, for each number of packs, the cost and the time of the first page of 50 of several searches.

    Args:
        folder: For data.
        rounds: How often each search is asked.

    Raises:
        ProgramMissing: Node.js or npm is not installed.
        CommandFailed, ProgramFailed: Something did not run.
    """
    section: dict[str, dict[str, Any]] = {}
    with metered_function("list_packs", folder=folder) as measured:
        table = measured.table
        unwritten, written = packs(ACME.org_id), 0
        for size in _SIZES:
            items = write(table, islice(unwritten, size - written), sought=_is_sought)
            print(
                f"\nsearch, {size} packs ({items / (size - written):.1f} items of the index each)", flush=True
            )
            written = size
            section[str(size)] = {
                name: _measure(measured.function, measured.meter, query, rounds)
                for name, query in _SEARCHES.items()
            }
            for name, cost in section[str(size)].items():
                print(f"  {name:16} {cost}", flush=True)
    return section


def _is_sought(word: str) -> bool:
    return word in WORDS[:3] or word == _RARE or word.startswith((_MIDDLE[:3], "b"))


def _measure(function: Function, meter: Meter, query: dict[str, str], rounds: int) -> dict[str, float]:
    times = []
    for _ in range(max(rounds, 2)):
        event = Request(
            method="GET", resource="/packs", path="/packs", query={**query, "limit": "50"}, caller=ACME
        ).event()
        meter.reset()
        started = time.perf_counter()
        answer = function.invoke(event)
        times.append((time.perf_counter() - started) * 1000)
        if answer.get("statusCode") != _OK:
            raise ProgramFailed(f"list_packs answered {answer}")
    body = json.loads(answer["body"])
    return {
        "p50_ms": round(median(times), 1),
        "p95_ms": round(quantiles(times, n=20)[-1], 1),
        "calls": meter.aws_calls,
        "rcu": meter.read_units,
        "packs": len(body["packs"]),
        "more": "next_cursor" in body,
    }
