"""What the table makes of DynamoDB's answers, which moto cannot be brought to give."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from packyard.errors import ServiceUnavailable
from packyard.store.table import Action, ConditionFailed, Put, Table, TransactionFailed, Update, token_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY = {"PK": "a", "SK": "b"}
PUT = Put(item=KEY, condition="attribute_not_exists(PK)")
UPDATE = Update(key=KEY, change="SET x = :x", condition="attribute_exists(PK)", values={":x": 1})
DELAYS = [0.025, 0.05, 0.1, 0.2, 0.4, 0.8]


class Dynamo:
    """DynamoDB as a script: answers in turn, and the waits in between."""

    def __init__(self, client: "DynamoDBClient", stub: Stubber) -> None:
        self._stub = stub
        self.waits: list[float] = []
        self.table = Table(client=client, name="packyard", sleep=self.waits.append)

    def cancels(self, *codes: str, token: object = ANY) -> None:
        reasons = [{"Code": code, "Item": {"PK": {"S": "held"}}} for code in codes]
        self._stub.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            http_status_code=400,
            expected_params={"TransactItems": ANY, "ClientRequestToken": token},
            modeled_fields={"CancellationReasons": reasons},
        )

    def refuses(self, operation: str, code: str, status: int = 400, **fields: Any) -> None:
        self._stub.add_client_error(operation, code, http_status_code=status, modeled_fields=fields)

    def answers(self, operation: str, **answer: Any) -> None:
        self._stub.add_response(operation, answer)


@pytest.fixture
def dynamo() -> Iterator[Dynamo]:
    client = boto3.Session(
        aws_access_key_id="testing", aws_secret_access_key="testing", region_name="eu-central-1"
    ).client("dynamodb", config=Config(retries={"total_max_attempts": 1}))
    with Stubber(client) as stub:
        yield Dynamo(client, stub)
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_contended_transaction_is_sent_again_under_its_token(dynamo: Dynamo, code: str) -> None:
    dynamo.cancels("None", code, token="stable")
    dynamo.cancels("None", code, token="stable")
    dynamo.answers("transact_write_items")

    dynamo.table.transact([PUT, UPDATE], token="stable")

    assert dynamo.waits == DELAYS[:2]


def test_a_failed_condition_is_final_even_next_to_contention(dynamo: Dynamo) -> None:
    dynamo.cancels("None", "ConditionalCheckFailed", "TransactionConflict")

    with pytest.raises(TransactionFailed) as failed:
        dynamo.table.transact([PUT], token="t")

    assert [reason.code for reason in failed.value.reasons] == [
        "None",
        "ConditionalCheckFailed",
        "TransactionConflict",
    ]
    assert failed.value.reasons[1].old == {"PK": "held"}
    assert dynamo.waits == []


def test_a_transaction_that_stays_contended_is_given_up(dynamo: Dynamo) -> None:
    for _ in range(len(DELAYS) + 1):
        dynamo.cancels("TransactionConflict")

    with pytest.raises(ServiceUnavailable):
        dynamo.table.transact([PUT], token="t")

    assert dynamo.waits == DELAYS


def test_an_update_that_meets_a_transaction_is_sent_again(dynamo: Dynamo) -> None:
    dynamo.refuses("update_item", "TransactionConflictException")
    dynamo.answers("update_item", Attributes={"x": {"N": "1"}})

    assert dynamo.table.update(UPDATE) == {"x": 1}
    assert dynamo.waits == DELAYS[:1]


@pytest.mark.parametrize(
    ("fields", "old"),
    [
        pytest.param({"Item": {"PK": {"S": "a"}}}, {"PK": "a"}, id="with_the_item_that_stands"),
        pytest.param({}, None, id="where_no_item_stands"),
    ],
)
def test_a_failed_condition_carries_the_existing_item(
    dynamo: Dynamo, fields: dict[str, Any], old: dict[str, str] | None
) -> None:
    dynamo.refuses("put_item", "ConditionalCheckFailedException", **fields)

    with pytest.raises(ConditionFailed) as failed:
        dynamo.table.put(PUT)

    assert failed.value.old == old


@pytest.mark.parametrize("operation", ["get_item", "update_item", "put_item", "transact_write_items"])
def test_an_outage_is_one_error_of_ours(dynamo: Dynamo, operation: str) -> None:
    dynamo.refuses(operation, "InternalServerError", status=500)
    calls: dict[str, Callable[[], object]] = {
        "get_item": lambda: dynamo.table.get(KEY),
        "update_item": lambda: dynamo.table.update(UPDATE),
        "put_item": lambda: dynamo.table.put(PUT),
        "transact_write_items": lambda: dynamo.table.transact([PUT], token="t"),
    }

    with pytest.raises(ServiceUnavailable):
        calls[operation]()

    assert dynamo.waits == []


def test_an_error_that_is_none_of_these_goes_up_untouched(dynamo: Dynamo) -> None:
    dynamo.refuses("put_item", "ValidationException")

    with pytest.raises(ClientError, match="ValidationException"):
        dynamo.table.put(PUT)


def test_items_left_out_of_a_batch_are_requested_again(dynamo: Dynamo) -> None:
    first, second = ({"PK": {"S": name}, "SK": {"S": "b"}} for name in ("a", "c"))
    left = {"packyard": {"Keys": [second], "ConsistentRead": True}}
    dynamo.answers("batch_get_item", Responses={"packyard": [first]}, UnprocessedKeys=left)
    dynamo.answers("batch_get_item", Responses={}, UnprocessedKeys=left)
    dynamo.answers("batch_get_item", Responses={"packyard": [second]}, UnprocessedKeys={})

    items = dynamo.table.get_many([KEY, {"PK": "c", "SK": "b"}])

    assert items == [{"PK": "a", "SK": "b"}, {"PK": "c", "SK": "b"}]
    assert dynamo.waits == DELAYS[:2]


def test_many_items_that_never_come_in_full_are_a_503(dynamo: Dynamo) -> None:
    left = {"packyard": {"Keys": [{"PK": {"S": "a"}, "SK": {"S": "b"}}]}}
    for _ in range(len(DELAYS) + 1):
        dynamo.answers("batch_get_item", Responses={}, UnprocessedKeys=left)

    with pytest.raises(ServiceUnavailable):
        dynamo.table.get_many([KEY])

    assert dynamo.waits == DELAYS


def test_an_empty_list_of_keys_sends_no_request(dynamo: Dynamo) -> None:
    assert dynamo.table.get_many([]) == []


def test_a_transactions_name_is_made_of_what_it_writes() -> None:
    different: list[list[Action]] = [[PUT], [UPDATE], [PUT, UPDATE], [UPDATE, PUT]]

    assert token_of([PUT, UPDATE]) == token_of([PUT, UPDATE])
    assert len({token_of(actions) for actions in different}) == 4
    assert all(len(token_of(actions)) == 36 for actions in different)
