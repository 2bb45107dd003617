"""The cost of a page of events, as their history grows: the section `events` of the results.

As `list`: the built function, a meter, and dynalite as the table.
"""

import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any, Final

from local.function import Function
from tests.gateway import Request
from tests.service import ACME

from bench.meter import Meter
from bench.metered_function import metered_function
from bench.processes import ProgramFailed
from packyard.packs.event import Event, EventType, event_id
from packyard.store.event_items import to_item

_SIZES: Final = (1_000, 30_000, 300_000)
_LIMIT: Final = 50
_OK: Final = 200
# The first events are about these, and no others are.
_FEW: Final = 100
_PACK: Final = "pack_01JZ0000000000000000000001"
_ROLE: Final = "role-of-few"
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


def _id_of(number: int) -> str:
    # The same each time, and in the order of time.
    return event_id(_START + timedelta(seconds=number), f"{number:026}")


_LISTINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "newest": {},
    "oldest": {"after": "0" * 26},
    "of_a_pack": {"pack_id": _PACK},
    "of_a_role": {"role_id": _ROLE},
    "of_a_type": {"type": EventType.KEY_REVOKED},
    "of_an_actor": {"actor": "key:few"},
    "after_another": {"after": _id_of(500)},
    "before_another": {"before": _id_of(500)},
}


def measure_event_listing(*, folder: Path) -> dict[str, dict[str, Any]]:
    """Return, for each length of the history, the calls, units and items of a page of 50 events of each listing.

    Args:
        folder: For data, up to 4 GB.

    Raises:
        ProgramMissing: Node.js or npm is not installed.
        CommandFailed, ProgramFailed: Something did not run.
    """
    section: dict[str, dict[str, Any]] = {}
    with metered_function("list_events", folder=folder) as measured:
        table = measured.table
        unwritten, written = _history(), 0
        for size in _SIZES:
            started = time.perf_counter()
            table.write(to_item(event, expires_at=1) for event in islice(unwritten, size - written))
            written = size
            print(f"\nevents, {size} (written in {time.perf_counter() - started:.0f} s)", flush=True)
            section[str(size)] = {}
            for name, query in _LISTINGS.items():
                cost = _measure(measured.function, measured.meter, query)
                section[str(size)][name] = cost
                print(f"  {name:16} {cost}", flush=True)
    return section


def _history() -> Iterator[Event]:
    for number in count():
        at, few = _START + timedelta(seconds=number), number < _FEW
        yield Event(
            id=_id_of(number),
            type=EventType.KEY_REVOKED if few else EventType.PACK_UPDATED,
            org_id=ACME.org_id,
            at=at,
            actor="key:few" if few else f"key:{number % 100}",
            request_id="00000000-0000-0000-0000-000000000000",
            pack_id=_PACK if few else f"pack_{number % 1000:026}",
            role_id=_ROLE if few else None,
            revision=1,
        )


def _measure(function: Function, meter: Meter, query: Mapping[str, str]) -> dict[str, float]:
    meter.reset()
    asked = Request(
        method="GET", resource="/events", path="/events", query={**query, "limit": str(_LIMIT)}, caller=ACME
    )
    answer = function.invoke(asked.event())
    if answer.get("statusCode") != _OK:
        raise ProgramFailed(f"list_events answered {answer}")
    events = json.loads(answer["body"])["events"]
    if len(events) != _LIMIT:
        raise ProgramFailed(f"a page of {query} has {len(events)} events")
    return {"calls": meter.aws_calls, "rcu": meter.read_units, "scanned": meter.scanned}
