"""moto's DynamoDB without the work that grows with the table: what it answers stays the same.

moto 5 copies a whole table for each item of a transaction, to be able to roll it back, and sorts all of its items for
each query. In tests that write much this is most of their time. Here a copy shares the items, and whoever changes one
in place changes a copy of it. It also looks for each of the ten kinds of values, by several names, in each value that
it answers with. Here a value that is the same in JSON is answered as it is. Of any service, what depends on the class
of a backend only is found once for each class, not for each request.

moto also answers the library `requests`, and tells it each of hundreds of URLs each time that it begins. Nothing here
calls AWS by that library. moto's KMS makes an RSA key for each key, also for one that encrypts and never uses it. Those
share one here.
"""

import copy
from functools import cache
from typing import Any, Final

from moto.core import responses
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.model import StructureShape
from moto.core.model_instances import reset_model_data
from moto.core.models import MockAWS, botocore_stubber
from moto.core.serialize import BaseJSONSerializer
from moto.core.utils import method_names_from_class
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.kms import models as kms_models
from moto.kms.utils import generate_private_key
from tests import quick_expressions, quick_requests

_update_item: Final = DynamoDBBackend.update_item
_serialize_structure: Final = BaseJSONSerializer._serialize_type_structure  # noqa: SLF001 - what is replaced
_urls: Final = BaseBackend.urls.fget  # type: ignore[attr-defined]  # it is a property
_cast_value: Final = DynamoType.cast_value.fget  # type: ignore[attr-defined]  # it is a property

_generate_private_key: Final = generate_private_key

_URLS: Final[dict[type[BaseBackend], Any]] = {}


def speed_up() -> None:
    """Put quicker ways in the place of moto's, in this process."""
    responses.method_names_from_class = cache(method_names_from_class)  # type: ignore[attr-defined]
    BaseBackend.urls = property(_urls_of_class)  # type: ignore[assignment,method-assign]
    Table.__deepcopy__ = _snapshot  # type: ignore[attr-defined]
    Table.all_items = _all_items  # type: ignore[method-assign]
    DynamoDBBackend.update_item = _update_a_copy  # type: ignore[assignment,method-assign]
    BaseJSONSerializer._serialize_type_structure = _serialize_value  # type: ignore[method-assign]  # noqa: SLF001
    DynamoType.cast_value = property(_cast)  # type: ignore[assignment,method-assign]
    DynamoType.__hash__ = _hash  # type: ignore[method-assign]
    DynamoType.__eq__ = _equal  # type: ignore[method-assign]
    MockAWS._enable_patching = _begin  # type: ignore[assignment,method-assign]  # noqa: SLF001 - what is replaced
    MockAWS._disable_patching = _end  # type: ignore[assignment,method-assign]  # noqa: SLF001 - likewise
    kms_models.generate_private_key = _private_key  # type: ignore[attr-defined]
    quick_expressions.speed_up()
    quick_requests.speed_up()


def _begin(_self: MockAWS, reset: bool = True) -> None:
    botocore_stubber.enabled = True
    if reset:
        BackendDict.reset()


def _end(_self: MockAWS, remove_data: bool) -> None:
    botocore_stubber.enabled = False
    if remove_data:
        BackendDict.reset()
        reset_model_data()


def _private_key(key_spec: str) -> Any:
    return _unused_private_key() if key_spec == "SYMMETRIC_DEFAULT" else _generate_private_key(key_spec)


@cache
def _unused_private_key() -> Any:
    return _generate_private_key("SYMMETRIC_DEFAULT")


def _urls_of_class(self: BaseBackend) -> Any:
    kind = type(self)
    if kind not in _URLS:
        _URLS[kind] = _urls(self)
    return _URLS[kind]


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


def _serialize_value(
    self: BaseJSONSerializer, serialized: Any, value: Any, shape: StructureShape, key: str
) -> None:
    if key and shape.name == "AttributeValue" and _is_json(value):
        serialized[key] = value
    else:
        _serialize_structure(self, serialized, value, shape, key)


def _is_json(value: Any) -> bool:
    """Tell whether a value is text, a number or of those, so that JSON has it as moto does."""
    if type(value) is not dict or len(value) != 1:
        return False
    [(kind, content)] = value.items()
    match kind, content:
        case ("S" | "N", str()) | ("BOOL" | "NULL", bool()):
            return True
        case "M", dict():
            return all(map(_is_json, content.values()))
        case "L", list():
            return all(map(_is_json, content))
    return False


def _cast(self: DynamoType) -> Any:
    return self.value if self.type == "S" else _cast_value(self)


def _hash(self: DynamoType) -> int:
    return hash(self.value if self.type == "S" else (self.type, _cast_value(self)))


def _equal(self: DynamoType, other: DynamoType) -> bool:
    return self.type == other.type and self.cast_value == other.cast_value
