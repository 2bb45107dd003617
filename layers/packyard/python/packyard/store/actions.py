"""What a transaction is made of: writes of single items, each on a condition (API_TransactWriteItems)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from packyard.store.keys import Key
from packyard.store.wire import Item, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """An action that writes a whole item, on a condition."""

    item: Item
    condition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An action that changes attributes of an item, or makes it, on a condition.

    Attributes:
        change: The update expression.
        values: What the placeholders of both expressions stand for.
        names: What attributes the `#` placeholders of both stand for: those that are reserved words.
    """

    key: Key
    change: str
    condition: str
    values: Mapping[str, Any]
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """An action that removes an item, on a condition without placeholders."""

    key: Key
    condition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """An action that changes nothing: the others are carried out only if the item is so."""

    key: Key
    condition: str
    values: Mapping[str, Any]


Action = Put | Update | Delete | Check


def token_of(actions: Sequence[Action]) -> str:
    """Return a name for a transaction that is made of what it writes: 36 characters.

    Two different transactions never share it. It is for those that cannot be wanted twice, as when a condition names
    a revision: within ten minutes DynamoDB carries out one of a name, and says yes to the rest.
    """
    return hashlib.sha256(repr(tuple(actions)).encode()).hexdigest()[:36]


def action_to_wire(action: Action, table: str) -> "TransactWriteItemTypeDef":
    """Return an action as a transaction on `table` takes it; the item whose condition fails comes back."""
    match action:
        case Put():
            return {
                "Put": {
                    "TableName": table,
                    "Item": to_wire(action.item),
                    "ConditionExpression": action.condition,
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            }
        case Update():
            return {"Update": update_to_wire(action, table)}
        case Delete():
            return {
                "Delete": {
                    "TableName": table,
                    "Key": to_wire(action.key),
                    "ConditionExpression": action.condition,
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            }
        case Check():
            return {
                "ConditionCheck": {
                    "TableName": table,
                    "Key": to_wire(action.key),
                    "ConditionExpression": action.condition,
                    "ExpressionAttributeValues": to_wire(action.values),
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            }


def update_to_wire(update: Update, table: str) -> "UpdateTypeDef":
    """Return an update as DynamoDB takes it, in a transaction or on its own."""
    wire: UpdateTypeDef = {
        "TableName": table,
        "Key": to_wire(update.key),
        "UpdateExpression": update.change,
        "ConditionExpression": update.condition,
        "ExpressionAttributeValues": to_wire(update.values),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    # DynamoDB refuses an empty map here.
    if update.names:
        wire["ExpressionAttributeNames"] = update.names
    return wire
