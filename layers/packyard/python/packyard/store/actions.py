"""The parts of a transaction: conditional writes, each to one item (API_TransactWriteItems)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from packyard.store.keys import Key
from packyard.store.wire import Item, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import ConditionCheckTypeDef, TransactWriteItemTypeDef, UpdateTypeDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """An action that writes a whole item if a condition holds."""

    item: Item
    condition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An action that changes attributes of an item if a condition holds. A missing item is created.

    Attributes:
        change: The update expression.
        condition: The condition expression.
        values: The values of the `:` placeholders in both expressions.
        names: The attribute names of the `#` placeholders in both expressions. DynamoDB requires a placeholder for an
            attribute whose name is a reserved word.
    """

    key: Key
    change: str
    condition: str
    values: Mapping[str, Any]
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """An action that removes an item if a condition holds. The condition has no placeholders."""

    key: Key
    condition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """An action that changes nothing. The whole transaction fails unless its condition holds for the item.

    Attributes:
        condition: The condition expression.
        values: As for `Update`, in this expression.
        names: As for `Update`, in this expression.
    """

    key: Key
    condition: str
    values: Mapping[str, Any]
    names: Mapping[str, str] = field(default_factory=dict)


Action = Put | Update | Delete | Check


def token_of(actions: Sequence[Action]) -> str:
    """Return a client request token for a transaction: 36 characters, derived from its actions.

    Equal actions give equal tokens, and different actions give different ones. Within ten minutes DynamoDB executes a
    transaction once per token and reports success for every repeat (API_TransactWriteItems, ClientRequestToken). So
    use this only where nobody can want the same transaction twice, for example where a condition names a revision.
    """
    return hashlib.sha256(repr(tuple(actions)).encode()).hexdigest()[:36]


def action_to_wire(action: Action, table: str) -> "TransactWriteItemTypeDef":
    """Return an action in the form of a DynamoDB request; an item whose condition fails is returned with the error.

    Args:
        action: The action.
        table: The table's name.
    """
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
            check: ConditionCheckTypeDef = {
                "TableName": table,
                "Key": to_wire(action.key),
                "ConditionExpression": action.condition,
                "ExpressionAttributeValues": to_wire(action.values),
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
            # DynamoDB refuses an empty map here.
            if action.names:
                check["ExpressionAttributeNames"] = action.names
            return {"ConditionCheck": check}


def update_to_wire(update: Update, table: str) -> "UpdateTypeDef":
    """Return an update in the form of a DynamoDB request, for use inside or outside of a transaction.

    Args:
        update: The update.
        table: The table's name.
    """
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
