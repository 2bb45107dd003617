"""The table: items as plain mappings, conditions and transactions. DynamoDB's own errors are translated here."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import ClientError

from packyard.aws.outages import OutOfTime, error_code, outages_translated
from packyard.errors import ServiceUnavailable
from packyard.store.actions import (
    Action,
    Check,
    Delete,
    Put,
    Update,
    action_to_wire,
    token_of,
    update_to_wire,
)
from packyard.store.keys import Key
from packyard.store.schema import require_readable
from packyard.store.wire import Item, from_wire, to_wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import KeysAndAttributesTypeDef, QueryInputTypeDef

# Other modules import the actions from here.
__all__ = [
    "Action",
    "Check",
    "ConditionFailed",
    "Delete",
    "Item",
    "Put",
    "Query",
    "QueryPage",
    "Reason",
    "Table",
    "TransactionFailed",
    "Update",
    "token_of",
]

T = TypeVar("T")

# No attempt at a transaction begins later than this after the first one. An attempt takes at most 5 seconds (decision
# 70), so a transaction has succeeded 8 seconds after it was begun, or never does. Lists of events rely on it (decision
# 103).
ATTEMPTS_SECONDS: Final = 3.0
# Whether the time for attempts at the present transaction is over; None outside of a transaction.
_ATTEMPTS_ARE_OVER: Final[ContextVar[Callable[[], bool] | None]] = ContextVar(
    "attempts_are_over", default=None
)
# The waits before further attempts, in seconds. A conflict lasts only as long as the other transaction, so the first
# waits are short. All publishes of an organisation change one item, so many at once need several attempts (decision
# 112).
_RETRY_DELAYS: Final = (0.025, 0.05, 0.1, 0.2, 0.4, 0.8)
# The most keys in one request (API_BatchGetItem).
_BATCH_KEYS: Final = 100
# The most writes in one request (API_BatchWriteItem).
_BATCH_WRITES: Final = 25
_CONDITION_FAILED: Final = "ConditionalCheckFailed"
_TRANSIENT: Final = frozenset({"TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"})


class ConditionFailed(Exception):
    """A write's condition did not hold.

    Args:
        old: The item as it was when the write was refused; None if there was none.
    """

    def __init__(self, old: Item | None) -> None:
        super().__init__("The condition did not hold.")
        self.old = old


@dataclass(frozen=True, slots=True)
class Reason:
    """The cancellation reason of one action in a cancelled transaction.

    Attributes:
        code: DynamoDB's code; the text `None` for an action that was not the cause.
        old: The item whose condition failed, as it was then; None if there was none.
    """

    code: str
    old: Item | None

    @property
    def condition_failed(self) -> bool:
        """Whether this action's condition did not hold."""
        return self.code == _CONDITION_FAILED


class TransactionFailed(Exception):
    """A transaction was cancelled and nothing was written.

    Args:
        reasons: One for each action, in the order of the actions.
    """

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(f"The transaction was cancelled: {', '.join(reason.code for reason in reasons)}.")
        self.reasons = tuple(reasons)

    @property
    def is_transient(self) -> bool:
        """Whether the same transaction may succeed later, because only contention or throttling was the cause."""
        return {reason.code for reason in self.reasons} <= _TRANSIENT | {"None"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which items of one partition to read.

    Attributes:
        condition: The key condition expression.
        values: The values of the placeholders in all expressions.
        index: A global secondary index, which is eventually consistent; None for the table itself, which is read
            consistently.
        filter: The filter expression; None to return every item that was read.
        projection: The projection expression; None for all attributes.
        limit: How many items to read before filtering; None for as many as DynamoDB returns at once.
        backwards: Whether to read in descending order of the sort key.
        eventually: Whether to read the table itself eventually consistently, for half the price.
    """

    condition: str
    values: Mapping[str, Any]
    index: str | None = None
    filter: str | None = None
    projection: str | None = None
    limit: int | None = None
    backwards: bool = False
    eventually: bool = False


@dataclass(frozen=True, slots=True)
class QueryPage:
    """One page of a query's result.

    Attributes:
        items: The items that passed the filter.
        read: How many items were read, before filtering.
        last_key: The key of the last item that was read, to continue from; None on the last page.
    """

    items: list[Item]
    read: int
    last_key: Item | None


class Table:
    """One DynamoDB table. Every method refuses items that only a later release can read (`schema.py`).

    Args:
        client: A low-level client; its own retries handle throttling and server errors.
        name: The table's name.
        sleep: Waits for a number of seconds; called between attempts.
        monotonic: Returns seconds, from a clock that never goes back.
    """

    def __init__(
        self,
        *,
        client: "DynamoDBClient",
        name: str,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._name = name
        self._sleep = sleep
        self._monotonic = monotonic
        # The client makes attempts of its own, so each of them is asked, right before it is sent. By its unique id, one
        # handler serves all tables of a client.
        client.meta.events.register_first(
            "before-send.dynamodb.TransactWriteItems", _require_time, unique_id="packyard-transactions"
        )

    def get(self, key: Key) -> Item | None:
        """Return an item, or None if there is none. A strongly consistent read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        with outages_translated():
            answer = self._client.get_item(TableName=self._name, Key=to_wire(key), ConsistentRead=True)
        item = answer.get("Item")
        return None if item is None else _item(item)

    def get_many(self, keys: Sequence[Key], *, eventually: bool = False) -> list[Item]:
        """Return the items of these keys, in no particular order. Keys without an item are left out. Consistent reads.

        Args:
            keys: Each once. There is one request for each 100 (API_BatchGetItem).
            eventually: Whether to read eventually consistently, for half the price.

        Raises:
            ServiceUnavailable: DynamoDB did not answer, or did not return all of the items.
        """
        return [
            item
            for start in range(0, len(keys), _BATCH_KEYS)
            for item in self._get_batch(keys[start : start + _BATCH_KEYS], consistent=not eventually)
        ]

    def _get_batch(self, keys: Sequence[Key], *, consistent: bool) -> list[Item]:
        items: list[Item] = []
        rest: KeysAndAttributesTypeDef = {
            "Keys": [to_wire(key) for key in keys],
            "ConsistentRead": consistent,
        }
        # A response is limited to 16 MB and to the table's throughput. It names the keys that are left.
        for delay in (*_RETRY_DELAYS, None):
            with outages_translated():
                answer = self._client.batch_get_item(RequestItems={self._name: rest})
            items += [_item(item) for item in answer["Responses"].get(self._name, [])]
            left: Any = answer["UnprocessedKeys"].get(self._name)
            if not left:
                return items
            rest = left
            if delay is not None:
                self._sleep(delay)
        raise ServiceUnavailable

    def write_many(self, *, put: Sequence[Item], delete: Sequence[Key]) -> None:
        """Write and delete items without conditions, in any order. A failure may leave a part of them written.

        Args:
            put: The items to write.
            delete: The keys of the items to delete. No item is in both. There is one request for each 25 writes
                (API_BatchWriteItem).

        Raises:
            ServiceUnavailable: DynamoDB did not answer, or did not take all of the writes.
        """
        writes: list[Any] = [{"PutRequest": {"Item": to_wire(item)}} for item in put]
        writes += [{"DeleteRequest": {"Key": to_wire(key)}} for key in delete]
        for start in range(0, len(writes), _BATCH_WRITES):
            self._write_batch(writes[start : start + _BATCH_WRITES])

    def _write_batch(self, writes: list[Any]) -> None:
        rest = writes
        for delay in (*_RETRY_DELAYS, None):
            with outages_translated():
                answer = self._client.batch_write_item(RequestItems={self._name: rest})
            rest = answer["UnprocessedItems"].get(self._name, [])
            if not rest:
                return
            if delay is not None:
                self._sleep(delay)
        raise ServiceUnavailable

    def query(self, query: Query, *, start: Item | None = None) -> QueryPage:
        """Return one page of a query's result, in the order of the sort key.

        Args:
            query: What to read.
            start: The previous page's `last_key`; None for the first page.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        request: QueryInputTypeDef = {
            "TableName": self._name,
            "KeyConditionExpression": query.condition,
            "ExpressionAttributeValues": to_wire(query.values),
            "ConsistentRead": query.index is None and not query.eventually,
            "ScanIndexForward": not query.backwards,
        }
        if query.index is not None:
            request["IndexName"] = query.index
        if query.filter is not None:
            request["FilterExpression"] = query.filter
        if query.projection is not None:
            request["ProjectionExpression"] = query.projection
        if query.limit is not None:
            request["Limit"] = query.limit
        if start is not None:
            request["ExclusiveStartKey"] = to_wire(start)
        with outages_translated():
            answer = self._client.query(**request)
        last_key = answer.get("LastEvaluatedKey")
        return QueryPage(
            items=[_item(item) for item in answer["Items"]],
            read=answer["ScannedCount"],
            last_key=None if last_key is None else from_wire(last_key),
        )

    def put(self, put: Put) -> None:
        """Write an item.

        Raises:
            ConditionFailed: Its condition did not hold.
            ServiceUnavailable: DynamoDB did not answer, or the conflict with other transactions did not end.
        """
        self._write(
            lambda: self._client.put_item(
                TableName=self._name,
                Item=to_wire(put.item),
                ConditionExpression=put.condition,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        )

    def update(self, update: Update) -> Item:
        """Change an item and return all of its attributes after the change.

        Raises:
            ConditionFailed: Its condition did not hold.
            ServiceUnavailable: DynamoDB did not answer, or the conflict with other transactions did not end.
        """
        request = update_to_wire(update, self._name)
        answer = self._write(lambda: self._client.update_item(**request, ReturnValues="ALL_NEW"))
        return _item(answer["Attributes"])

    def transact(self, actions: Sequence[Action], *, token: str) -> None:
        """Execute all of the actions or none of them.

        Args:
            actions: At most 100, each on a different item (API_TransactWriteItems).
            token: The client request token, 1 to 36 characters. Within ten minutes, DynamoDB executes a transaction
                once per token. So a retry after a lost answer succeeds, although the conditions no longer hold.

        Raises:
            TransactionFailed: A condition did not hold.
            ServiceUnavailable: DynamoDB did not answer, or the conflict with other transactions did not end, or the
                time for attempts was over (`ATTEMPTS_SECONDS`).
        """
        wire = [action_to_wire(action, self._name) for action in actions]
        end = self._monotonic() + ATTEMPTS_SECONDS
        entered = _ATTEMPTS_ARE_OVER.set(lambda: self._monotonic() > end)
        try:
            self._write(
                lambda: self._client.transact_write_items(TransactItems=wire, ClientRequestToken=token)
            )
        finally:
            _ATTEMPTS_ARE_OVER.reset(entered)

    def _write(self, call: Callable[[], T]) -> T:
        """Make a write, with retries after transaction conflicts, which botocore does not retry."""
        for delay in (*_RETRY_DELAYS, None):
            try:
                with outages_translated():
                    return call()
            except ClientError as error:
                failure = _failure(error)
                if failure is None:
                    raise
                if not isinstance(failure, ServiceUnavailable):
                    raise failure from error
            if delay is not None:
                self._sleep(delay)
        raise ServiceUnavailable


def _require_time(**_: object) -> None:
    is_over = _ATTEMPTS_ARE_OVER.get()
    if is_over is not None and is_over():
        raise OutOfTime


def _failure(error: ClientError) -> ConditionFailed | TransactionFailed | ServiceUnavailable | None:
    """Translate the error of a write; `ServiceUnavailable` if it may succeed later, None if the error is not known."""
    match error_code(error):
        case "ConditionalCheckFailedException":
            return ConditionFailed(_old(error.response))
        case "TransactionConflictException":
            return ServiceUnavailable()
        case "TransactionCanceledException":
            reasons: Any = error.response.get("CancellationReasons", [])
            failed = TransactionFailed([Reason(reason["Code"], _old(reason)) for reason in reasons])
            return ServiceUnavailable() if failed.is_transient else failed
        case _:
            return None


def _old(answer: Mapping[str, Any]) -> Item | None:
    item = answer.get("Item")
    return None if item is None else _item(item)


def _item(wire: Any) -> Item:
    item = from_wire(wire)
    require_readable(item)
    return item
