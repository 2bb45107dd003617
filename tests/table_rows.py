"""What lies in moto's table, looked at without a request: that takes a hundredth of the time, and is no call.

Nothing changes an item of moto's once it is in the table (`tests.quick_tables`). So copies of the table share them, and
what was once made of an item is kept with it. Whoever gets items from here must not change them.
"""

import json
from collections import defaultdict
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from tests.aws import REGION, TABLE

from packyard.store.table import Item
from packyard.store.wire import from_wire


def all_items() -> list[Item]:
    """Return every item, as the store has it."""
    return [_made_of(row).item for row in _rows()]


def all_texts() -> list[str]:
    """Return every item as canonical JSON in DynamoDB's notation."""
    return [_made_of(row).text for row in _rows()]


def remove_all() -> None:
    """Empty the table."""
    _table().items = defaultdict(dict)


def saved_items() -> Any:
    """Return all that `put_back` needs."""
    return {partition: dict(rows) for partition, rows in _table().items.items()}


def put_back(saved: Any) -> None:
    """Let the table have what it had when `saved_items` was called, and nothing else."""
    _table().items = defaultdict(dict, {partition: dict(rows) for partition, rows in saved.items()})


class _Made:
    """What was made of an item."""

    def __init__(self, row: Any) -> None:
        wire = row.to_json()["Attributes"]
        self.item = from_wire(wire)
        self.text = json.dumps(wire, sort_keys=True)


def _made_of(row: Any) -> _Made:
    made: _Made | None = vars(row).get("made")
    if made is None:
        made = row.made = _Made(row)
    return made


def _rows() -> list[Any]:
    return [row for rows in _table().items.values() for row in rows.values()]


def _table() -> Any:
    return dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables[TABLE]
