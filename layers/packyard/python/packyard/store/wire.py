"""Conversion between plain mappings and DynamoDB's typed attribute values."""

from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

Item = dict[str, Any]

_serialise = TypeSerializer().serialize
_deserialise = TypeDeserializer().deserialize


def to_wire(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item, a key or an expression's values as typed attribute values."""
    return {name: _serialise(value) for name, value in values.items()}


def from_wire(item: Mapping[str, Any]) -> Item:
    """Return an item from DynamoDB as a plain mapping; its numbers are `Decimal`."""
    return {name: _deserialise(value) for name, value in item.items()}
