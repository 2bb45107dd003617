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


def test_a_condition_that_was_read_before_is_held_against_the_values_and_the_item_of_now(aws: Aws) -> None:
    def put(wanted: str, text: str) -> None:
        aws.dynamodb.put_item(
            TableName=TABLE,
            Item={**_key("a"), "n": {"S": text}},
            ConditionExpression="attribute_not_exists(PK) OR #n = :wanted",
            ExpressionAttributeNames={"#n": "n"},
            ExpressionAttributeValues={":wanted": {"S": wanted}},
        )

    put("one", "one")
    put("one", "two")
    for wanted in ("one", "three"):
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            put(wanted, "four")
    put("two", "five")

    assert aws.dynamodb.get_item(TableName=TABLE, Key=_key("a"))["Item"]["n"] == {"S": "five"}


def test_an_update_that_was_read_before_takes_the_values_and_the_item_of_now(aws: Aws) -> None:
    def add(number: str, text: str) -> None:
        aws.dynamodb.update_item(
            TableName=TABLE,
            Key=_key("a"),
            UpdateExpression="SET n = if_not_exists(n, :none) + :number, #text = :text REMOVE gone",
            ExpressionAttributeNames={"#text": "text"},
            ExpressionAttributeValues={
                ":none": {"N": "0"},
                ":number": {"N": number},
                ":text": {"S": text},
            },
        )

    aws.dynamodb.put_item(TableName=TABLE, Item={**_key("a"), "gone": {"S": "soon"}})
    add("1", "one")
    add("2", "two")

    found = aws.dynamodb.get_item(TableName=TABLE, Key=_key("a"))["Item"]
    assert found == {**_key("a"), "n": {"N": "3"}, "text": {"S": "two"}}


@pytest.mark.parametrize("times", [1, 2])
def test_a_name_that_no_expression_uses_is_refused_each_time(aws: Aws, times: int) -> None:
    for _ in range(times):
        with pytest.raises(ClientError, match="unused in expressions"):
            aws.dynamodb.put_item(
                TableName=TABLE,
                Item=_key("a"),
                ConditionExpression="attribute_not_exists(#used)",
                ExpressionAttributeNames={"#used": "PK", "#unused": "SK"},
            )


def test_an_item_of_more_than_400_kilobytes_is_refused(aws: Aws) -> None:
    parts = {f"part{number}": {"S": "x" * 100_000} for number in range(5)}

    with pytest.raises(ClientError, match="Item size"):
        aws.dynamodb.put_item(TableName=TABLE, Item={**_key("a"), **parts})
