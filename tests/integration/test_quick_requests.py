"""A request to the emulated services is answered in the short way as in moto's own, whatever comes of it."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from botocore.auth import SigV4Auth
from botocore.exceptions import ClientError
from botocore.useragent import UserAgentString
from moto.core.botocore_stubber import BotocoreStubber
from tests import quick_requests, table_rows
from tests.aws import BUCKET, TABLE, Aws

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


OTHERS: Final[list[Callable[[Aws], Any]]] = [
    lambda aws: aws.s3.get_object(Bucket=BUCKET, Key="none"),
    lambda aws: aws.s3.get_object(Bucket="none", Key="none"),
    lambda aws: aws.s3.put_object(Bucket=BUCKET, Key="files/ä b?c#d", Body=b"content", Metadata={"a": "b"}),
    lambda aws: aws.s3.head_object(Bucket=BUCKET, Key="files/ä b?c#d"),
    lambda aws: aws.s3.list_objects_v2(Bucket=BUCKET, Prefix="files/")["KeyCount"],
    lambda aws: aws.s3.get_object(Bucket=BUCKET, Key="files/ä b?c#d", Range="bytes=1-2")["Body"].read(),
    lambda aws: aws.s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "files/ä b?c#d"}]}),
    lambda aws: aws.s3.delete_object(Bucket=BUCKET, Key="files/ä b?c#d"),
    lambda aws: aws.sqs.send_message(QueueUrl=aws.queue_url, MessageBody="ä")["MD5OfMessageBody"],
    lambda aws: aws.sqs.send_message(QueueUrl=f"{aws.queue_url}-none", MessageBody="ä"),
    lambda aws: aws.sqs.receive_message(QueueUrl=aws.queue_url)["Messages"][0]["Body"],
    lambda aws: aws.sqs.delete_message(QueueUrl=aws.queue_url, ReceiptHandle="none"),
]


def outcomes(aws: Aws) -> list[Any]:
    table_rows.remove_all()
    return [outcome(aws.dynamodb, call) for call in CALLS]


def outcome(asked: Any, call: Callable[[Any], Any]) -> Any:
    try:
        answer = call(asked)
    except ClientError as error:
        answer = error.response
    if not isinstance(answer, dict):
        return answer
    status = answer.pop("ResponseMetadata")["HTTPStatusCode"]
    return status, {
        name: value for name, value in answer.items() if name not in ("LastModified", "ResponseMetadata")
    }


def test_each_call_has_the_same_outcome_in_both_ways(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = outcomes(aws)
    monkeypatch.setattr(BotocoreStubber, "process_request", quick_requests.MOTOS_WAY)
    slow = outcomes(aws)

    assert quick == slow
    assert {status for status, _ in quick} == {200, 400}


def test_other_services_answer_the_same_in_both_ways(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = [outcome(aws, call) for call in OTHERS]
    monkeypatch.setattr(BotocoreStubber, "process_request", quick_requests.MOTOS_WAY)
    monkeypatch.setattr(SigV4Auth, "add_auth", quick_requests.SIGNED)
    slow = [outcome(aws, call) for call in OTHERS]

    assert quick == slow


def test_a_client_is_named_as_by_botocore_itself(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[str] = []
    aws.s3.meta.events.register_first(
        "before-send", lambda request, **_: named.append(request.headers["User-Agent"].decode())
    )
    aws.s3.list_objects_v2(Bucket=BUCKET)
    aws.s3.put_object(Bucket=BUCKET, Key="a", Body=b"content")
    aws.s3.list_objects_v2(Bucket=BUCKET)
    monkeypatch.setattr(UserAgentString, "to_string", quick_requests.NAMED)
    aws.s3.list_objects_v2(Bucket=BUCKET)

    # What the client uses is named in no order.
    first, _, again, by_botocore = ([*name.partition(" m/")[::2]] for name in named)
    assert first == again
    assert first[0] == by_botocore[0]
    assert sorted(first[1].partition(" ")[0].split(",")) == sorted(
        by_botocore[1].partition(" ")[0].split(",")
    )
