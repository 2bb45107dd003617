"""Every state that the service may be in, as far as anybody can tell: models that differ in what no answer has said.

A request that goes well leads each model to one other. One that dies, or that meets a registry or a backing service
which fails, leads to as many as the contract allows, and to no others; answers then say which of them it was.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from tests.gateway import Answer
from tests.reliability.expectations import Expected, Refused
from tests.reliability.model import Model
from tests.reliability.model_state import Kept

# How long a function may be at work, and whoever clears a repository up may hold it.
AT_WORK: Final = timedelta(seconds=34)
HOLD: Final = timedelta(minutes=5)
# What has been looked at before a registry is asked for anything.
_BEFORE_THE_REGISTRY: Final = frozenset(
    {"unauthenticated", "permission_denied", "billing_inactive", "pack_not_found"}
)

Predict = Callable[[Model], Expected]
Step = Callable[[Model], object]


@dataclass(frozen=True)
class Trouble:
    """What may go wrong with a request.

    Attributes:
        dies: The function may be killed.
        outage: A backing service may refuse a call.
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
    """One way that it may have gone: the state after it, and its answer; None when nobody heard one."""

    world: Model
    expected: Expected | None

    def fault(self, answer: Answer) -> str | None:
        """Return how an answer differs from this branch's."""
        return "nobody would answer" if self.expected is None else self.expected.fault(answer)


@dataclass
class Worlds:
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
        faults, kept = [], []
        for branch in branches:
            fault = None if answer is None else branch.fault(answer)
            if fault is None:
                kept.append(branch.world)
            else:
                faults.append(fault)
        assert kept, "\n".join(
            [f"{answer and (answer.status, answer.body)}, which no state allows:", *dict.fromkeys(faults)]
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


def outcome(world: Model, predict: Predict) -> Expected:
    """Let a request happen to a model, and return what it is answered."""
    try:
        return predict(world)
    except Refused as refused:
        return refused.expected


def branches_of(
    world: Model,
    predict: Predict,
    trouble: Trouble,
    *,
    died: bool,
    halves: Sequence[Step] = (),
    place: tuple[str, str, str] | None = None,
    registry_code: str = "registry_unavailable",
) -> Iterator[Branch]:
    """Yield every way that a request may go.

    Args:
        world: The state before it.
        predict: What happens if all goes well.
        trouble: What may go wrong.
        died: Whether the function has been killed: then there is no answer.
        halves: What may be left of it besides nothing; what it does not finish, others will.
        place: Of its idempotency key, if it has one.
        registry_code: Of the error that says that a registry has failed.
    """
    done = world.copy()
    done.in_trouble = trouble.any
    expected = outcome(done, predict)
    written = done.written_to()
    undone = [world.copy(), *(_half(world, half) for half in halves)]
    if written is not None and trouble.any:
        # What had been pushed by then lies there until it is cleared up.
        for left in undone:
            left.abandoned.add(written)
    with_key_taken = partial(_with_key_taken, world, done, place)
    if died:
        for left in (*undone, done):
            yield from (Branch(other, None) for other in (left, *with_key_taken(left)))
        return
    ways = [(done, expected)]
    if trouble.registry and expected.code not in _BEFORE_THE_REGISTRY:
        ways.append((undone[-1], Refused(502, registry_code).expected))
    if trouble.outage:
        ways.append((undone[0], Refused(503, "service_unavailable").expected))
        # What has been decided is the one thing that an error may leave (API contract, section 5).
        ways += [(left, Refused(502, registry_code).expected) for left in undone[1:]]
    if world.is_busy(written):
        ways.append((world.copy(), Refused(503, "service_unavailable").expected))
    for left, answer in ways:
        yield Branch(left, answer)
        if trouble.outage:
            # Keeping the answer, or letting go of the key, may be what was refused.
            yield from (Branch(other, answer) for other in with_key_taken(left))


def _half(world: Model, half: Step) -> Model:
    left = world.copy()
    try:
        half(left)
    except Refused:
        return world.copy()
    return left


def _with_key_taken(
    before: Model, done: Model, place: tuple[str, str, str] | None, left: Model
) -> Iterator[Model]:
    """Yield a state with its idempotency key taken by a request that has not come to its end, if there is one."""
    taken = None if place is None else done.keys.get(place)
    if place is not None and taken is not None and taken != before.keys.get(place):
        other = left.copy()
        other.keys[place] = Kept(taken.request, other.now, None, other.now + AT_WORK)
        yield other
