"""The table's stream: packs that change, roles that begin to follow one, images that are withdrawn."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()

_PACK: Final = "PACK#"
_ROW: Final = "PACK"
_REFERENCE: Final = "REF#"
_IMAGE: Final = "IMAGE#"
_KEEP: Final = "keep_revisions"
_WITHDRAWN: Final = "withdrawn"


@dataclass(frozen=True, slots=True)
class ImageChanged:
    """A pack has got another image, or its image is no longer withdrawn.

    Attributes:
        keeps_all: Whether the pack has no retention policy.
    """

    pack_id: str
    keeps_all: bool = True


@dataclass(frozen=True, slots=True)
class PinFollows:
    """A role's reference to a pack was written, and follows it."""

    pack_id: str
    org_id: str
    role_id: str


@dataclass(frozen=True, slots=True)
class StateChanged:
    """An image of a pack was withdrawn, restored or deleted."""

    pack_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class RowChanged:
    """A pack's row was written.

    Attributes:
        old: The row as it was, in DynamoDB's own form; empty if there was none.
        new: The row as it is, in the same form.
    """

    old: Mapping[str, Any]
    new: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PolicySet:
    """A pack has got another retention policy."""

    pack_id: str


Change = ImageChanged | PinFollows | StateChanged | PolicySet | RowChanged
StreamHandler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


def changes_of(record: Mapping[str, Any]) -> Iterator[Change]:
    """Yield what a record of the stream tells of packs and pins.

    Args:
        record: As Lambda passes it on: keys, and the item before and after, in DynamoDB's own form.
    """
    told = record["dynamodb"]
    partition, sort_key = told["Keys"]["PK"]["S"], told["Keys"]["SK"]["S"]
    old, new = told.get("OldImage") or {}, told.get("NewImage") or {}
    if not partition.startswith(_PACK):
        return
    pack_id = partition.removeprefix(_PACK)
    if sort_key == _ROW and new:
        # First, since it takes no longer for a pack with many followers.
        yield RowChanged(old, new)
        if old and _may_be_followed(old, new):
            yield ImageChanged(pack_id, keeps_all=_KEEP not in new)
        elif _KEEP in new and old.get(_KEEP) != new[_KEEP]:
            yield PolicySet(pack_id)
    if sort_key.startswith(_REFERENCE) and new.get("follow") == {"BOOL": True}:
        yield PinFollows(pack_id, new["org_id"]["S"], new["role_id"]["S"])
    if sort_key.startswith(_IMAGE):
        yield StateChanged(pack_id, sort_key.removeprefix(_IMAGE))


def _may_be_followed(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    restored = _WITHDRAWN in old and _WITHDRAWN not in new
    return restored or old.get("image_digest") != new.get("image_digest")


def serve_stream(settle: Callable[[Change], None], *, begins: Callable[[float, str], None]) -> StreamHandler:
    """Return the Lambda handler of the stream's consumer.

    Lambda passes the records of one pack in their order. The handler stops at the first record that fails and names it,
    so that Lambda goes on from there (Lambda developer guide, "Reporting batch item failures", DynamoDB).

    Args:
        settle: Handles one change; if it raises, the record comes again.
        begins: Called at the start of each invocation with the seconds for which it may run, and its id.
    """

    @logger.inject_lambda_context(clear_state=True)
    def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        begins(context.get_remaining_time_in_millis() / 1000, context.aws_request_id)
        for record in event["Records"]:
            try:
                for change in changes_of(record):
                    settle(change)
            except Exception:
                logger.exception("left for a retry", extra={"event_id": record.get("eventID")})
                number = record["dynamodb"]["SequenceNumber"]
                return {"batchItemFailures": [{"itemIdentifier": number}]}
        return {"batchItemFailures": []}

    return handle
