"""Several actors in one process that take turns at their AWS calls, in any order or in every one.

Exactly one actor runs at a time, from just before one of its calls to just before its next: so whatever an order
brings to light comes again when it is repeated.

Of two neighbouring calls that only read, the order changes nothing: of orders that differ in this alone, one is run.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final

# The operations of DynamoDB that change nothing.
_READS: Final = frozenset({"BatchGetItem", "GetItem", "Query", "Scan", "TransactGetItems"})

Actor = Callable[[], object]


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


class _Player(threading.Thread):
    """One actor, which waits for its turn before it starts and before each call."""

    def __init__(self, actor: Actor) -> None:
        super().__init__(daemon=True)
        self._actor = actor
        self._my_turn, self._waiting = threading.Semaphore(0), threading.Semaphore(0)
        self.outcome: object = None
        self.ended = False
        # Whether the next turn changes nothing that others see. The first one leads to the first call.
        self.only_reads = True

    def run(self) -> None:
        """Act, once it is this actor's turn; an exception is an outcome too."""
        self._my_turn.acquire()
        try:
            self.outcome = self._actor()
        except Exception as error:  # noqa: BLE001 - what came of it is the test's to judge
            self.outcome = error
        self.ended = True
        self._waiting.release()

    def pause(self, operation: str) -> None:
        """Wait for the next turn, which begins with a call."""
        self.only_reads = operation in _READS
        self._waiting.release()
        self._my_turn.acquire()

    def go_on(self) -> None:
        """Let the actor run to its next call or to its end."""
        self._my_turn.release()
        assert self._waiting.acquire(timeout=60)


def take_turns(
    clients: Sequence[Any],
    actors: Sequence[Actor],
    order: Order,
    check: Callable[[], None] = lambda: None,
) -> list[object]:
    """Run actors in turns and return what each returned or raised.

    Args:
        clients: The AWS clients at whose calls they take turns.
        actors: What each does.
        order: Who comes next.
        check: Called after every turn that may have changed something, with everybody waiting.
    """
    players = [_Player(actor) for actor in actors]

    def before_call(model: Any, **_: Any) -> None:
        current = threading.current_thread()
        if isinstance(current, _Player):
            current.pause(model.name)

    with ExitStack() as hooks:
        for client in clients:
            client.meta.events.register("before-call", before_call, unique_id="turns")
            hooks.callback(client.meta.events.unregister, "before-call", unique_id="turns")
        for player in players:
            player.start()
        before = -1
        only_read = False
        while waiting := [number for number, player in enumerate(players) if not player.ended]:
            # Whoever could as well have read before the turn that was last, did so in another order.
            fresh = [n for n in waiting if not (only_read and players[n].only_reads and n < before)]
            before = order.next_of(fresh or waiting)
            only_read = players[before].only_reads
            players[before].go_on()
            if not only_read:
                check()
    return [player.outcome for player in players]
