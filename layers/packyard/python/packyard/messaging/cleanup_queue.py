"""The cleanup queue. A message is enqueued before something exists that may have to be removed, and is due later."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from packyard.aws.outages import outages_translated
from packyard.oci.digest import Digest, parse_digest
from packyard.packs.manifest.name import PackName, parse_slug
from packyard.packs.pack import is_pack_id
from packyard.packs.timestamp import format_timestamp, parse_timestamp
from packyard.tenants.org import parse_org_id

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# SQS's limit for delaying a message (API_SendMessage, DelaySeconds).
MAX_DELAY_SECONDS: Final = 900
# Enough for an index, and the image and the attestation of each of fifteen platforms.
MAX_DIGESTS: Final = 32

_MAX_BODY_CHARACTERS: Final = 4096
_STAGED_KEY: Final = re.compile(r"(inline/|uploads/upl_)[0-9A-Z]{26}\.tar\.gz")
# ECR's limit for a repository's name is 256 characters (API_CreateRepository).
_REPOSITORY: Final = re.compile(r"[a-z0-9._/-]{2,256}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanImage:
    """An image that is to be removed unless a row uses it by then.

    Attributes:
        repository: The image's repository in the service's own registry.
        digests: The digests of its index and then of the manifests that the index lists, which is the order in which
            they can be deleted. At most 32.
        org_id: The organisation that the repository belongs to.
        name: The name that goes with the repository.
        due_at: When it is to be removed, unless a row uses it.
    """

    repository: str
    digests: tuple[Digest, ...]
    org_id: str
    name: PackName
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedArchive:
    """An archive in the staging bucket.

    Attributes:
        key: Its key in the bucket.
        due_at: When it is to be removed; nothing reads it after that.
    """

    key: str
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PackDeletion:
    """A pack whose deletion may have to be finished.

    Attributes:
        pack_id: The pack. The request to delete it may have been refused; then there is nothing to do.
        due_at: When the function that handled the request has ended, so that no other process is deleting the pack.
    """

    pack_id: str
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionDeletion:
    """An image whose deletion may have to be finished.

    Attributes:
        pack_id: The pack.
        digest: The image's. The request to delete it may have been refused; then there is nothing to do.
        due_at: When the function that handled the request has ended.
    """

    pack_id: str
    digest: Digest
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSweep:
    """A pack whose old revisions may have to be deleted.

    Attributes:
        pack_id: The pack.
        due_at: When to look for them.
    """

    pack_id: str
    due_at: datetime


Message = OrphanImage | StagedArchive | PackDeletion | RevisionDeletion | RetentionSweep


class Queue:
    """One SQS queue.

    Args:
        client: An SQS client.
        url: The queue's URL.
    """

    def __init__(self, *, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def put_back(self, receipt_handle: str, seconds: int) -> None:
        """Set after how many seconds a received message is delivered again (API_ChangeMessageVisibility).

        Args:
            receipt_handle: The receipt handle with which the message was received.
            seconds: The new visibility timeout. SQS allows at most twelve hours since the message was received.

        Raises:
            ServiceUnavailable: SQS did not answer.
        """
        with outages_translated():
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )


class CleanupQueue(Queue):
    """The queue that `clean_up` reads."""

    def enqueue(self, message: Message, *, now: datetime) -> None:
        """Send a message, delayed until it is due or by SQS's longest delay of 900 seconds.

        Args:
            message: The message.
            now: The current time.

        Raises:
            ServiceUnavailable: SQS did not answer.
        """
        wait = math.ceil((message.due_at - now).total_seconds())
        with outages_translated():
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=_body(message),
                DelaySeconds=min(MAX_DELAY_SECONDS, max(0, wait)),
            )


def _body(message: Message) -> str:
    due_at = format_timestamp(message.due_at)
    match message:
        case OrphanImage():
            fields: dict[str, Any] = {
                "kind": "orphan_image",
                "repository": message.repository,
                "digests": message.digests,
                "org_id": message.org_id,
                "name": message.name,
            }
        case StagedArchive():
            fields = {"kind": "staged_archive", "key": message.key}
        case PackDeletion():
            fields = {"kind": "pack_deletion", "pack_id": message.pack_id}
        case RevisionDeletion():
            fields = {"kind": "revision_deletion", "pack_id": message.pack_id, "digest": message.digest}
        case RetentionSweep():
            fields = {"kind": "retention_sweep", "pack_id": message.pack_id}
    return json.dumps({**fields, "due_at": due_at}, separators=(",", ":"))


def parse_message(body: str) -> Message:
    """Return the message in a body that `CleanupQueue.enqueue` has written.

    Parsing is strict, because the thing that a message names is deleted.

    Raises:
        ValueError: The body is too long, is not JSON, or has an unknown kind or a missing, additional or malformed
            field.
    """
    if len(body) > _MAX_BODY_CHARACTERS:
        raise ValueError(f"the message is longer than {_MAX_BODY_CHARACTERS} characters")
    try:
        fields = json.loads(body)
    except RecursionError:
        raise ValueError("the message is nested too deeply") from None
    if not isinstance(fields, dict):
        raise ValueError("the message is not a JSON object")  # noqa: TRY004 - a bad value, whatever its type
    match fields.pop("kind", None):
        case "orphan_image":
            return _orphan_image(fields)
        case "staged_archive":
            return _staged_archive(fields)
        case "pack_deletion":
            return _pack_deletion(fields)
        case "revision_deletion":
            _require_fields(fields, {"pack_id", "digest", "due_at"})
            digest = parse_digest(_text(fields, "digest"))
            return RevisionDeletion(pack_id=_pack_id(fields), digest=digest, due_at=_due_at(fields))
        case "retention_sweep":
            _require_fields(fields, {"pack_id", "due_at"})
            return RetentionSweep(pack_id=_pack_id(fields), due_at=_due_at(fields))
        case _:
            raise ValueError("the message is of no known kind")


def _orphan_image(fields: Mapping[str, Any]) -> OrphanImage:
    _require_fields(fields, {"repository", "digests", "org_id", "name", "due_at"})
    org_id = parse_org_id(_text(fields, "org_id"))
    name = parse_slug(_text(fields, "name"))
    repository = _text(fields, "repository")
    if _REPOSITORY.fullmatch(repository) is None or not repository.endswith(f"/{org_id}/{name}"):
        raise ValueError("repository: is not the one of this organisation and name")
    digests = fields["digests"]
    if not isinstance(digests, list) or not 1 <= len(digests) <= MAX_DIGESTS:
        raise ValueError(f"digests: must be a list of 1 to {MAX_DIGESTS}")
    if not all(isinstance(digest, str) for digest in digests):
        raise ValueError("digests: must be strings")
    return OrphanImage(
        repository=repository,
        digests=tuple(parse_digest(digest) for digest in digests),
        org_id=org_id,
        name=name,
        due_at=_due_at(fields),
    )


def _staged_archive(fields: Mapping[str, Any]) -> StagedArchive:
    _require_fields(fields, {"key", "due_at"})
    key = _text(fields, "key")
    if _STAGED_KEY.fullmatch(key) is None:
        raise ValueError("key: is not one of a staged archive")
    return StagedArchive(key=key, due_at=_due_at(fields))


def _pack_deletion(fields: Mapping[str, Any]) -> PackDeletion:
    _require_fields(fields, {"pack_id", "due_at"})
    return PackDeletion(pack_id=_pack_id(fields), due_at=_due_at(fields))


def _pack_id(fields: Mapping[str, Any]) -> str:
    pack_id = _text(fields, "pack_id")
    if not is_pack_id(pack_id):
        raise ValueError("pack_id: is not one of a pack")
    return pack_id


def _require_fields(fields: Mapping[str, Any], names: set[str]) -> None:
    if fields.keys() != names:
        raise ValueError(f"the message must have exactly these fields: {', '.join(sorted(names))}")


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise ValueError(f"{name}: must be a string")  # noqa: TRY004 - a bad value, whatever its type
    return value


def _due_at(fields: Mapping[str, Any]) -> datetime:
    due_at = parse_timestamp(_text(fields, "due_at"))
    if due_at.tzinfo is None:
        raise ValueError("due_at: must state its zone")
    return due_at
