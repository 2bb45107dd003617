"""Every state that the service may be in, as far as its answers tell: models that differ in what no answer has told.

A request that goes well leads each model to one other. A request that dies, or that meets a registry or an AWS service
which fails, leads to as many as the contract allows, and to no others. Later answers tell which of them it was.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import combinations, product
from typing import Any, Final, NamedTuple
from unittest.mock import ANY

from tests.gateway import Answer
from tests.reliability.model.contract import COMES_BACK, SETTLED, Model
from tests.reliability.model.expectations import Expected, Refused
from tests.reliability.model.images import MARKED
from tests.reliability.model.packs import Content
from tests.reliability.model.state import Key, Record

# How long a function may be at work.
_AT_WORK: Final = timedelta(seconds=34, microseconds=1)
# What is checked before a registry is asked for anything.
_BEFORE_THE_REGISTRY: Final = ("unauthenticated", "permission_denied", "billing_inactive", "pack_not_found")
_UNAVAILABLE: Final = Refused(503, "service_unavailable").expected
_UNREADABLE: Final = Refused(400, "validation_error", fields={"id": ANY}).expected

# What may go wrong: the function `dies`, `outage` (AWS refuses a call), or a `registry` fails.
Trouble = frozenset[str]
# One way that a request may have gone: the state after it, and its answer, or None when none came.
Branch = tuple[Model, Expected | None]


class Asked(NamedTuple):
    """A request, as `Model.ask` takes it, and what its image reference resolves to."""

    operation: str
    key: Key
    args: dict[str, Any]
    once: str | None
    more: dict[str, Any]

    def happen(self, model: Model, **more: Any) -> Expected:
        told = self.more | more
        return Refused.or_answer(lambda: model.ask(self.operation, self.key, self.args, self.once, **told))


def settled(branches: Iterable[Branch], answer: Answer | None) -> list[Model]:
    """Return the states that an answer agrees with, each once."""
    kept: list[Model] = []
    faults: set[str] = set()
    for model, expected in branches:
        fault = None
        if answer is not None:
            fault = "no answer would come" if expected is None else expected.fault(answer)
        if fault is not None:
            faults.add(fault)
            continue
        model.drop_what_is_over()
        if model not in kept:
            kept.append(model)
    seen = answer and (answer.status, answer.body)
    assert kept, "\n".join([f"{seen}, which no state allows:", *faults])
    assert len(kept) <= 256, "answers must say what has happened"
    return kept


def ways(model: Model, asked: Asked, trouble: Trouble, *, died: bool) -> Iterator[Branch]:
    """Yield every way that a request may go, from a state. If its function has died, no answer comes."""
    if asked.operation == "delete_revision":
        yield from _removals(model, asked, trouble, died=died)
        return
    if asked.operation == "delete_pack":
        model.hold(asked.args["pack_id"], in_trouble=bool(trouble))
    if "image_ref" in asked.args:
        # A registry that fails may give the image, and not say what it brings.
        silent = (False, True) if "registry" in trouble else (False,)
        for found, unread in product(model.resolve(asked.args["image_ref"], asked.key[0]), silent):
            told = {"found": found, "unread": unread}
            yield from _ways(model, asked._replace(more=told), trouble, died=died)
    else:
        yield from _ways(model, asked, trouble, died=died)
    if asked.operation in ("list_files", "get_file", "download_pack"):
        # An image goes before its pack does.
        pack = model.find(asked.args["pack_id"])
        if pack is not None and pack.deletion:
            yield model.copy(), _UNREADABLE


def _ways(model: Model, asked: Asked, trouble: Trouble, *, died: bool) -> Iterator[Branch]:
    done = model.copy()
    done.in_trouble = bool(trouble)
    expected = asked.happen(done)
    found: list[Branch] = [(done, expected)]
    deletes = asked.operation == "delete_pack"
    undone = [_left(model, done) for _ in range(1 + deletes)] if trouble else []
    if deletes and trouble:
        # From the decision on there is one way, and the pack may be gone half of it.
        asked.happen(undone[1], only_decide=True)
    failed = Refused(502, "registry_cleanup_failed" if deletes else "registry_unavailable").expected
    if died:
        found = [(left, None) for left in (*undone, done)]
    elif "registry" in trouble and expected.code not in _BEFORE_THE_REGISTRY:
        found.append((undone[-1], failed))
    if "outage" in trouble:
        # What has been decided is the one thing that an error may leave (API contract, section 5).
        found += [(undone[0], _UNAVAILABLE), *((left, failed) for left in undone[1:])]
    if model.is_busy(done.pushed_to) and not died:
        found.append((model.copy(), _UNAVAILABLE))
    for left, answer in found:
        yield left, answer
        if asked.once is not None and done.taking is not None and (died or "outage" in trouble):
            # What died may have kept the key taken. AWS may have refused to keep the answer, or to give the key back.
            other = left.copy()
            key = (asked.key[0], asked.operation, asked.once)
            other.records[key] = Record(done.taking, None, other.now + _AT_WORK)
            yield other, answer


def _removals(model: Model, asked: Asked, trouble: Trouble, *, died: bool) -> Iterator[Branch]:
    """Yield every way that the deletion of a revision may go. From its mark on, a failure says that it goes on."""
    model.hold(asked.args["pack_id"], in_trouble=bool(trouble))
    done, marked = model.copy(), model.copy()
    expected = asked.happen(done)
    asked.happen(marked, until=MARKED)
    failed = Refused(502, "registry_cleanup_failed").expected
    if died:
        yield from ((left, None) for left in (model.copy(), marked, done))
        return
    yield done, expected
    if expected.code in (None, "revision_in_use") and trouble:
        yield marked, failed
        yield done.copy(), failed
    if "outage" in trouble:
        yield model.copy(), _UNAVAILABLE


def builds(model: Model, number: int, trouble: Trouble) -> Iterator[Branch]:
    """Yield every way that a build may go, once S3 has told of its archive."""
    done = model.copy()
    done.in_trouble = bool(trouble)
    yield done, done.build(number)
    upload, was = done.uploads[number], model.uploads[number]
    begins = (upload.status, upload.lease_until) != (was.status, was.lease_until)
    interrupted = bool(trouble & {"dies", "outage"})
    if begins and "registry" in trouble:
        yield _left(model, done).begin_build(number, "registry_unavailable"), COMES_BACK
    if begins and ("outage" in trouble or model.is_busy(done.pushed_to)):
        yield _left(model, done).begin_build(number, "service_unavailable"), COMES_BACK
    if begins and interrupted:
        yield _left(model, done).begin_build(number), COMES_BACK
    if interrupted:
        yield _left(model, done), COMES_BACK


def followings(model: Model, pack_id: str, trouble: Trouble) -> Iterator[Branch]:
    """Yield every way that a record of the table's stream may go: in trouble, for some roles and not for others."""
    due = [role for role in model.roles if model.lags(role, pack_id)]
    for many in range(len(due) + 1) if trouble else (len(due),):
        for moved in combinations(due, many):
            told = model.copy().follow(moved, pack_id).tell_roles(pack_id, for_sure=not trouble)
            yield told, Expected(200, ANY if trouble else [])


def sweeps(model: Model, pack_id: str, trouble: Trouble) -> Iterator[Branch]:
    """Yield every way that the message of a retention policy may go: some images are gone, and one is marked."""
    model.hold(pack_id, in_trouble=bool(trouble))
    pack = model.find(pack_id)
    due = [] if pack is None else list(model.swept(pack))
    for many in range(len(due) + 1) if trouble else (len(due),):
        left = _swept(model, pack_id, due[:many])
        if many < len(due):
            yield left, COMES_BACK
            marked = left.copy()
            marked.sweep(pack_id, due[many], until=MARKED)
            yield marked, COMES_BACK
        else:
            yield left, SETTLED
            if trouble:
                yield left.copy(), COMES_BACK


def _swept(model: Model, pack_id: str, contents: Sequence[Content]) -> Model:
    left = model.copy()
    for content in contents:
        left.sweep(pack_id, content)
    return left


def endings(model: Model, message: Mapping[str, Any], trouble: Trouble) -> Iterator[Branch]:
    """Yield every way that the message of a revision's deletion may go: what was marked is deleted, or in use."""
    model.hold(message["pack_id"], in_trouble=bool(trouble))
    pack = model.find(message["pack_id"])
    if trouble:
        yield model.copy(), COMES_BACK
    if pack is not None and not pack.deletion:
        for content in [content for content in pack.images if content.image_digest == message["digest"]]:
            model.decide(pack, content)
    yield model, SETTLED
    if trouble:
        yield model.copy(), COMES_BACK


def _left(model: Model, done: Model) -> Model:
    """Return a state in which nothing has been done. What has been pushed stays there until it is cleaned up."""
    left = model.copy()
    left.abandoned |= {name for name in (done.pushed_to,) if name is not None}
    return left
