"""A request to the emulated table is answered in the short way as in moto's own, whatever comes of it."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError
from moto.core.botocore_stubber import BotocoreStubber
from tests import quick_requests, table_rows
from tests.aws import TABLE, Aws

KEY: Final = {"PK": {"S": "ORG#1"}, "SK": {"S": "a"}}
OTHER: Final = {"PK": {"S": "ORG#1"}, "SK": {"S": "b"}}
ITEM: Final = {
    **KEY,
    "n": {"N": "1"},
    "l": {"L": [{"S": "ä"}, {"BOOL": True}]},
    "m": {"M": {"x": {"NULL": True}}},
}
ONE: Final = {":one": {"N": "1"}}
NEW: Final = "attribute_not_exists(PK)"

CALLS: Final[list[Callable[[Any], Any]]] = [
    lambda table: table.put_item(TableName=TABLE, Item=ITEM, ConditionExpression=NEW),
    lambda table: table.put_item(TableName=TABLE, Item=ITEM, ConditionExpression=NEW),
    lambda table: table.put_item(
        TableName=TABLE,
        Item=ITEM,
        ConditionExpression=NEW,
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    ),
    lambda table: table.put_item(TableName=TABLE, Item={**OTHER, "b": {"B": b"\0\xff"}}),
    lambda table: table.get_item(TableName=TABLE, Key=KEY, ReturnConsumedCapacity="TOTAL"),
    lambda table: table.get_item(TableName=TABLE, Key={"PK": {"S": "none"}, "SK": {"S": "a"}}),
    lambda table: table.get_item(TableName="none", Key=KEY),
    lambda table: table.get_item(TableName=TABLE, Key={"PK": {"S": "ORG#1"}}),
    lambda table: table.query(
        TableName=TABLE,
        KeyConditionExpression="PK = :org",
        ExpressionAttributeValues={":org": {"S": "ORG#1"}},
        Limit=1,
    ),
    lambda table: table.query(TableName=TABLE, KeyConditionExpression="nonsense"),
    lambda table: table.update_item(
        TableName=TABLE,
        Key=KEY,
        UpdateExpression="SET n = n + :one",
        ExpressionAttributeValues=ONE,
        ReturnValues="ALL_NEW",
    ),
    lambda table: table.update_item(
        TableName=TABLE,
        Key=KEY,
        UpdateExpression="SET n = :one",
        ConditionExpression="n = :one",
        ExpressionAttributeValues=ONE,
    ),
    lambda table: table.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": TABLE, "Item": {**KEY, "SK": {"S": "c"}}}},
            {"ConditionCheck": {"TableName": TABLE, "Key": KEY, "ConditionExpression": NEW}},
        ]
    ),
    lambda table: table.transact_write_items(
        TransactItems=[{"Put": {"TableName": TABLE, "Item": {**KEY, "SK": {"S": "c"}}}}]
    ),
    lambda table: table.transact_get_items(TransactItems=[{"Get": {"TableName": TABLE, "Key": KEY}}]),
    lambda table: table.batch_get_item(RequestItems={TABLE: {"Keys": [KEY, OTHER]}}),
    lambda table: table.batch_write_item(
        RequestItems={TABLE: [{"DeleteRequest": {"Key": {**KEY, "SK": {"S": "c"}}}}]}
    ),
    lambda table: table.delete_item(TableName=TABLE, Key=KEY, ReturnValues="ALL_OLD"),
    lambda table: table.scan(TableName=TABLE),
]


def outcomes(aws: Aws) -> list[Any]:
    table_rows.remove_all()
    return [outcome(aws, call) for call in CALLS]


def outcome(aws: Aws, call: Callable[[Any], Any]) -> Any:
    try:
        answer = call(aws.dynamodb)
    except ClientError as error:
        answer = error.response
    status = answer.pop("ResponseMetadata")["HTTPStatusCode"]
    return status, answer


def test_each_call_has_the_same_outcome_in_both_ways(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = outcomes(aws)
    monkeypatch.setattr(BotocoreStubber, "process_request", quick_requests.MOTOS_WAY)
    slow = outcomes(aws)

    assert quick == slow
    assert {status for status, _ in quick} == {200, 400}
