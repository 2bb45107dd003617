"""Several actors that take turns, in a given order or in every order.

Exactly one actor runs at a time: from one point to the next when it is a function that talks to AWS, from one `yield`
to the next when it is a generator. So whatever an order brings to light comes again when the order is repeated.

Of two reads that follow one another, the order changes nothing: of orders that differ in this alone, one is run.
"""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from tests.engine.points import Point
from tests.engine.wire import Wire, deliver

# The operations of DynamoDB that change nothing.
_READS: Final = frozenset(
    f"dynamodb.{name}" for name in ("BatchGetItem", "GetItem", "Query", "Scan", "TransactGetItems")
)

Actor = Callable[[], object]
# An actor that can be stopped at each yield.
Steps = Generator[None, None, None]


@dataclass
class Order:
    """Who comes next.

    Attributes:
        choices: Which of those that can go on goes on, by number, at each turn; the first one when it runs out.
        taken: What was chosen, and out of how many.
    """

    choices: Sequence[int]
    taken: list[tuple[int, int]] = field(default_factory=list)

    def next_of(self, waiting: Sequence[int]) -> int:
        """Return which of the waiting actors goes on."""
        turn = len(self.taken)
        choice = self.choices[turn] % len(waiting) if turn < len(self.choices) else 0
        self.taken.append((choice, len(waiting)))
        return waiting[choice]


def every_order() -> Iterator[Order]:
    """Yield orders, each to be run before the next is asked for, until every one that is possible has been taken."""
    choices: list[int] = []
    while True:
        order = Order(choices)
        yield order
        taken = order.taken
        while taken and taken[-1][0] == taken[-1][1] - 1:
            taken.pop()
        if not taken:
            return
        choices = [choice for choice, _ in taken]
        choices[-1] += 1


class _Player(Protocol):
    ended: bool
    only_reads: bool

    def go_on(self) -> None: ...


class _Thread(threading.Thread):
    """An actor that waits for its turn before it starts and before each request."""

    def __init__(self, actor: Actor) -> None:
        super().__init__(daemon=True)
        self._actor = actor
        self._my_turn, self._waiting = threading.Semaphore(0), threading.Semaphore(0)
        self.outcome: object = None
        self.ended = False
        # Whether the next turn changes nothing that others see. The first one leads to the first request.
        self.only_reads = True

    def run(self) -> None:
        self._my_turn.acquire()
        try:
            self.outcome = self._actor()
        except Exception as error:  # noqa: BLE001 - an exception is an outcome too, which the test judges
            self.outcome = error
        self.ended = True
        self._waiting.release()

    def pause(self, label: str) -> None:
        """Wait for the next turn, which begins with a request."""
        self.only_reads = label in _READS
        self._waiting.release()
        self._my_turn.acquire()

    def go_on(self) -> None:
        """Let the actor run to its next request or to its end."""
        self._my_turn.release()
        assert self._waiting.acquire(timeout=60)


class _Generator:
    """An actor that is written as steps."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self.ended = self.only_reads = False

    def go_on(self) -> None:
        """Let the actor run to its next yield or to its end."""
        self.ended = next(self._steps, self) is self


def take_turns(
    wire: Wire, actors: Sequence[Actor], order: Order, check: Callable[[], object] = lambda: None
) -> list[object]:
    """Run actors in turns and return what each returned or raised.

    Args:
        wire: At whose points they take turns.
        actors: What each does.
        order: Who comes next.
        check: Called after every turn that may have changed something, with everybody waiting.
    """

    def wait(point: Point) -> Callable[[], object] | None:
        player = threading.current_thread()
        return (lambda: player.pause(point.label)) if isinstance(player, _Thread) else None

    players = [_Thread(actor) for actor in actors]
    with wire.tapped(deliver, interrupt=wait):
        for player in players:
            with wire.sent_by(player):
                player.start()
        _play(players, order, check)
    return [player.outcome for player in players]


def take_steps(actors: Sequence[Steps], order: Order, check: Callable[[], object] = lambda: None) -> None:
    """Run actors that are written as steps in turns, and check after each turn."""
    _play([_Generator(steps) for steps in actors], order, check)


def _play(players: Sequence[_Player], order: Order, check: Callable[[], object]) -> None:
    before = -1
    only_read = False
    while waiting := [number for number, player in enumerate(players) if not player.ended]:
        # An actor that could have read before the turn that was last did so in another order.
        fresh = [n for n in waiting if not (only_read and players[n].only_reads and n < before)]
        before = order.next_of(fresh or waiting)
        only_read = players[before].only_reads
        players[before].go_on()
        if not only_read:
            check()
