"""The cost of a page of packs, in tables of a hundred packs to a million: the section `list` of the results.

The built function runs under Lambda's own runtime client, with a meter between it and the table.
"""

import json
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from local.function import Function
from tests.catalogue import packs
from tests.gateway import Request
from tests.service import ACME, GLOBEX

from bench.meter import Meter
from bench.metered_function import metered_function
from bench.processes import ProgramFailed
from packyard.store.pack_items import to_item
from packyard.tenants.caller import Caller

_SIZES: Final = (100, 10_000, 1_000_000)
_LIMIT: Final = "50"
_OK: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """A listing, and which of its pages to measure.

    Attributes:
        caller: Who lists. ACME has twenty packs of its own, Globex every fourth pack.
        query: Its filters.
        page: Its number. It is reached by the cursors of the pages before it.
    """

    caller: Caller = ACME
    query: dict[str, str]
    page: int = 1


_LISTINGS: Final = {
    "first_page": _Listing(query={}),
    "page_10": _Listing(query={}, page=10),
    "owned_few": _Listing(query={"owned": "true"}),
    "owned_many": _Listing(caller=GLOBEX, query={"owned": "true"}),
    "of_others": _Listing(query={"owned": "false"}),
    "name_prefix": _Listing(query={"q": "pack-00000"}),
    "rare_tier": _Listing(query={"tier": "verified"}),
    "no_such_category": _Listing(query={"category": "none"}),
}


def measure_listing(*, folder: Path) -> dict[str, dict[str, Any]]:
    """Return, for each size of the table, the cost of the first page of 50 packs and of other listings.

    Args:
        folder: For data, up to 2 GB.

    Raises:
        ProgramMissing: Node.js or npm is not installed.
        CommandFailed, ProgramFailed: Something did not run.
    """
    section: dict[str, dict[str, Any]] = {}
    with metered_function("list_packs", folder=folder) as measured:
        table = measured.table
        unwritten, written = packs(max(_SIZES)), 0
        for size in _SIZES:
            started = time.perf_counter()
            table.write(to_item(pack) for pack in islice(unwritten, size - written))
            written = size
            seconds, memory = time.perf_counter() - started, table.memory_bytes() / 1e6
            print(f"\nlist, {size} packs (written in {seconds:.0f} s; {memory:.0f} MB of memory)", flush=True)
            section[str(size)] = _measure_all(measured.function, measured.meter)
    return section


def _measure_all(function: Function, meter: Meter) -> dict[str, Any]:
    measured = {}
    for name, listing in _LISTINGS.items():
        cost = _measure(function, meter, listing)
        if cost is not None:
            measured[name] = cost
            print(f"  {name:16} {cost}", flush=True)
    return measured.pop("first_page") | measured


def _measure(function: Function, meter: Meter, listing: _Listing) -> dict[str, float] | None:
    """Return the cost of a page; None if the listing ends before it."""
    query = {**listing.query, "limit": _LIMIT}
    for number in range(1, listing.page + 1):
        meter.reset()
        body = _ask(function, query, listing.caller)
        if number < listing.page:
            if "next_cursor" not in body:
                return None
            query["cursor"] = body["next_cursor"]
    return {
        "calls": meter.aws_calls,
        "rcu": meter.read_units,
        "scanned": meter.scanned,
        "packs": len(body["packs"]),
    }


def _ask(function: Function, query: dict[str, str], caller: Caller) -> Any:
    answer = function.invoke(
        Request(method="GET", resource="/packs", path="/packs", query=query, caller=caller).event()
    )
    if answer.get("statusCode") != _OK:
        raise ProgramFailed(f"list_packs answered {answer}")
    return json.loads(answer["body"])
