"""Items that a later release has written are not misread, wherever they come from."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.hooks import HierarchicalEmitter

from packyard.errors import ServiceUnavailable
from packyard.store.actions import Put, Update
from packyard.store.schema import NEWEST_READABLE
from packyard.store.table import Query, Table

KEY = {"PK": "a", "SK": "b"}


class Answering:
    """A client of DynamoDB whose every answer holds one item."""

    def __init__(self, item: dict[str, Any]) -> None:
        self._item = item
        self.meta = SimpleNamespace(events=HierarchicalEmitter())

    def get_item(self, **_: Any) -> Any:
        return {"Item": self._item}

    def batch_get_item(self, **_: Any) -> Any:
        return {"Responses": {"t": [self._item]}, "UnprocessedKeys": {}}

    def query(self, **_: Any) -> Any:
        return {"Items": [self._item], "ScannedCount": 1}

    def update_item(self, **_: Any) -> Any:
        return {"Attributes": self._item}

    def put_item(self, **_: Any) -> Any:
        code = "ConditionalCheckFailedException"
        answer: Any = {"Error": {"Code": code}, "Item": self._item}
        raise ClientError(answer, "PutItem")


READS: dict[str, Callable[[Table], Any]] = {
    "get": lambda table: table.get(KEY),
    "get_many": lambda table: table.get_many([KEY]),
    "query": lambda table: table.query(Query(condition="PK = :a", values={":a": "a"})),
    "update": lambda table: table.update(
        Update(key=KEY, change="SET a = :a", condition="a = :a", values={":a": 1})
    ),
    "a write whose condition does not hold": lambda table: table.put(Put(item=KEY, condition="a = b")),
}


def table_with(schema: int | None) -> Table:
    form = {} if schema is None else {"schema": {"N": str(schema)}}
    client: Any = Answering({"PK": {"S": "a"}, "SK": {"S": "b"}, **form})
    return Table(client=client, name="t", sleep=lambda _: None)


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_an_item_of_a_later_release_is_not_read_and_the_log_says_why(read: Callable[[Table], Any]) -> None:
    with pytest.raises(ServiceUnavailable) as refused:
        read(table_with(NEWEST_READABLE + 1))

    (note,) = refused.value.__notes__
    assert note.startswith(
        f"An item has schema {NEWEST_READABLE + 1}, but this release reads only up to {NEWEST_READABLE}."
    )


@pytest.mark.parametrize("schema", [None, NEWEST_READABLE])
def test_an_item_without_a_form_has_the_first_one(schema: int | None) -> None:
    item = table_with(schema).get(KEY)

    assert item is not None
    assert item["PK"] == "a"
