"""Every state that the service may be in, as far as its answers tell: models that differ in what no answer has told.

A request that goes well leads each model to one other. A request that dies, or that meets a registry or an AWS service
which fails, leads to as many as the contract allows, and to no others. Later answers tell which of them it was.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from tests.gateway import Answer
from tests.reliability.model.contract import Model
from tests.reliability.model.expectations import Expected, Refused
from tests.reliability.model.state import Record, RecordKey

# How long a function may be at work, and how long a cleaner may hold a repository.
AT_WORK: Final = timedelta(seconds=34)
HOLD: Final = timedelta(minutes=5)
# What is checked before a registry is asked for anything.
_BEFORE_THE_REGISTRY: Final = frozenset(
    {"unauthenticated", "permission_denied", "billing_inactive", "pack_not_found"}
)

_UNAVAILABLE: Final = Refused(503, "service_unavailable").expected

Predict = Callable[[Model], Expected]


@dataclass(frozen=True)
class Trouble:
    """What may go wrong with a request.

    Attributes:
        dies: The function may be killed.
        outage: AWS may refuse a call.
        registry: A registry may fail.
    """

    dies: bool = False
    outage: bool = False
    registry: bool = False

    @property
    def any(self) -> bool:
        return self.dies or self.outage or self.registry


@dataclass(frozen=True)
class Branch:
    """One way that a request may have gone: the state after it, and its answer, or None when none came."""

    model: Model
    expected: Expected | None

    def fault(self, answer: Answer) -> str | None:
        """Return how an answer differs from this branch's."""
        return "no answer would come" if self.expected is None else self.expected.fault(answer)


@dataclass
class PossibleStates:
    """The states that the service may be in.

    Attributes:
        models: At least one.
    """

    models: list[Model] = field(default_factory=list)

    @property
    def one(self) -> Model:
        """One of them: enough to choose what to ask for."""
        return self.models[0]

    def at(self, now: datetime) -> None:
        for model in self.models:
            model.now = now

    def each(self, change: Callable[[Model], object]) -> None:
        """Change something that does not depend on the service."""
        for model in self.models:
            change(model)

    def settle(self, branches: Sequence[Branch], answer: Answer | None) -> None:
        """Keep the branches that an answer agrees with."""
        faults = [None if answer is None else branch.fault(answer) for branch in branches]
        kept = [branch.model for branch, fault in zip(branches, faults, strict=True) if fault is None]
        assert kept, "\n".join(
            [
                f"{answer and (answer.status, answer.body)}, which no state allows:",
                *dict.fromkeys(map(str, faults)),
            ]
        )
        self.keep(kept)

    def keep(self, models: Sequence[Model]) -> None:
        unique: list[Model] = []
        for model in models:
            model.in_trouble = False
            model.drop_what_is_over()
            if model not in unique:
                unique.append(model)
        self.models = unique
        assert len(unique) <= 256, "answers must say what has happened"


def branches_of(
    model: Model,
    predict: Predict,
    trouble: Trouble,
    *,
    died: bool,
    half: Predict | None = None,
    record: RecordKey | None = None,
    registry_code: str = "registry_unavailable",
) -> Iterator[Branch]:
    """Yield every way that a request may go.

    Args:
        model: The state before it.
        predict: What happens if all goes well.
        trouble: What may go wrong.
        died: Whether the function has been killed: then no answer comes.
        half: What it may leave instead of nothing, for others to finish.
        record: The key of its idempotency record, if it has one.
        registry_code: Of the error that says that a registry has failed.
    """
    done = model.copy()
    done.in_trouble = trouble.any
    expected = _happen(done, predict)
    written = done.written_to()
    undone = [model.copy()]
    if half is not None:
        left = model.copy()
        undone.append(left if _happen(left, half).status < 400 else model.copy())
    if written is not None and trouble.any:
        # What has been pushed stays there until it is cleaned up.
        for left in undone:
            left.abandoned.add(written)
    ways: list[tuple[Model, Expected | None]]
    if died:
        ways = [(left, None) for left in (*undone, done)]
    else:
        ways = [(done, expected)]
        registry_failed = Refused(502, registry_code).expected
        if trouble.registry and expected.code not in _BEFORE_THE_REGISTRY:
            ways.append((undone[-1], registry_failed))
        if trouble.outage:
            ways.append((undone[0], _UNAVAILABLE))
            # What has been decided is the one thing that an error may leave (API contract, section 5).
            ways += [(left, registry_failed) for left in undone[1:]]
        if model.is_busy(written):
            ways.append((model.copy(), _UNAVAILABLE))
    taken = done.taking
    for left, answer in ways:
        left.taking = None
        yield Branch(left, answer)
        if record is not None and taken is not None and (died or trouble.outage):
            # What died may have kept the key taken. AWS may have refused to keep the answer, or to give the key back.
            other = left.copy()
            other.records[record] = Record(taken, other.now, None, other.now + AT_WORK)
            yield Branch(other, answer)


def _happen(model: Model, predict: Predict) -> Expected:
    return Refused.or_answer(lambda: predict(model))
