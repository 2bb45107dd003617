"""The emulated table answers as before, though it does less work."""

import pytest
from botocore.exceptions import ClientError
from tests.aws import TABLE, Aws


def _key(sort_key: str) -> dict[str, dict[str, str]]:
    return {"PK": {"S": "ORG#1"}, "SK": {"S": sort_key}}


def test_a_transaction_that_fails_changes_nothing(aws: Aws) -> None:
    aws.dynamodb.put_item(TableName=TABLE, Item={**_key("a"), "n": {"N": "1"}})

    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        aws.dynamodb.transact_write_items(
            TransactItems=[
                {
                    "Update": {
                        "TableName": TABLE,
                        "Key": _key("a"),
                        "UpdateExpression": "SET n = :two",
                        "ExpressionAttributeValues": {":two": {"N": "2"}},
                    }
                },
                {"Put": {"TableName": TABLE, "Item": _key("b")}},
                {
                    "ConditionCheck": {
                        "TableName": TABLE,
                        "Key": _key("c"),
                        "ConditionExpression": "attribute_exists(PK)",
                    }
                },
            ]
        )

    assert aws.dynamodb.scan(TableName=TABLE)["Items"] == [{**_key("a"), "n": {"N": "1"}}]


def test_what_was_read_does_not_change_with_the_item(aws: Aws) -> None:
    aws.dynamodb.put_item(TableName=TABLE, Item={**_key("a"), "m": {"M": {"n": {"N": "1"}}}})
    before = aws.dynamodb.get_item(TableName=TABLE, Key=_key("a"))["Item"]

    changed = aws.dynamodb.update_item(
        TableName=TABLE,
        Key=_key("a"),
        UpdateExpression="SET m.n = m.n + :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="ALL_NEW",
    )

    assert before["m"]["M"]["n"] == {"N": "1"}
    assert changed["Attributes"]["m"]["M"]["n"] == {"N": "2"}
    assert aws.dynamodb.get_item(TableName=TABLE, Key=_key("a"))["Item"] == changed["Attributes"]


def test_a_query_gives_one_partition_in_the_order_of_its_sort_keys(aws: Aws) -> None:
    for sort_key in ("b", "a#2", "a#10"):
        aws.dynamodb.put_item(TableName=TABLE, Item=_key(sort_key))
    aws.dynamodb.put_item(TableName=TABLE, Item={"PK": {"S": "ORG#2"}, "SK": {"S": "a"}})

    found = aws.dynamodb.query(
        TableName=TABLE,
        KeyConditionExpression="PK = :partition",
        ExpressionAttributeValues={":partition": {"S": "ORG#1"}},
    )

    assert [item["SK"]["S"] for item in found["Items"]] == ["a#10", "a#2", "b"]
