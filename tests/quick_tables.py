"""moto's DynamoDB without the work that grows with the table: what it answers stays the same.

moto 5 copies a whole table for each item of a transaction, to be able to roll it back, and sorts all of its items for
each query. In tests that write much this is most of their time. Here a copy shares the items, and whoever changes one
in place changes a copy of it.
"""

import copy
from typing import Any, Final

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

_update_item: Final = DynamoDBBackend.update_item
_cast_value: Final = DynamoType.cast_value.fget  # type: ignore[attr-defined]  # it is a property


def speed_up() -> None:
    """Put quicker ways in the place of moto's, in this process."""
    Table.__deepcopy__ = _snapshot  # type: ignore[attr-defined]
    Table.all_items = _all_items  # type: ignore[method-assign]
    DynamoDBBackend.update_item = _update_a_copy  # type: ignore[assignment,method-assign]
    DynamoType.cast_value = property(_cast)  # type: ignore[assignment,method-assign]
    DynamoType.__hash__ = _hash  # type: ignore[method-assign]
    DynamoType.__eq__ = _equal  # type: ignore[method-assign]


def _snapshot(self: Table, _memo: dict[int, Any]) -> Table:
    shared = copy.copy(self)
    shared.items = copy.copy(self.items)
    for partition, items in self.items.items():
        shared.items[partition] = dict(items)
    return shared


def _update_a_copy(self: DynamoDBBackend, table_name: str, key: dict[str, Any], **others: Any) -> Item:
    table = self.get_table(table_name)
    partition = table.items.get(DynamoType(key[table.hash_key_attr]), {})
    sort_key = DynamoType(key[table.range_key_attr])  # type: ignore[index]
    if sort_key in partition:
        partition[sort_key] = copy.deepcopy(partition[sort_key])
    return _update_item(self, table_name, key, **others)


def _all_items(self: Table) -> list[Item]:
    items = [item for partition in self.items.values() for item in partition.values()]
    # The keys of our one table are text.
    items.sort(key=lambda item: (item.hash_key.value, item.range_key.value))
    return items


def _cast(self: DynamoType) -> Any:
    return self.value if self.type == "S" else _cast_value(self)


def _hash(self: DynamoType) -> int:
    return hash(self.value if self.type == "S" else (self.type, _cast_value(self)))


def _equal(self: DynamoType, other: DynamoType) -> bool:
    return self.type == other.type and self.cast_value == other.cast_value
