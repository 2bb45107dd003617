"""Patterns of paths, as capabilities have them: which paths they match, and whether some of them cover another.

`*` stands for any characters but `/`, `**` for any characters, everything else for itself. The patterns are run side by
side as one automaton, whose states are the bits of one number.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

EVERYTHING: Final = "/**"
_TOKEN: Final = re.compile(r"\*\*|.", re.DOTALL)
_STAR: Final = "*"
# A move of the automaton takes about as long as so many comparisons of two names.
_STEPS_OF_A_MOVE: Final = 20
_GLOBSTAR: Final = "**"
# Stands for every character that no pattern names.
_OTHERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


class TooComplex(Exception):
    """The comparison would take more steps than it may."""


class Budget:
    """How many steps a comparison may still take.

    Args:
        steps: The most.
    """

    def __init__(self, steps: int) -> None:
        self._left = steps

    def spend(self, steps: int) -> None:
        """Count so many steps.

        Raises:
            TooComplex: Fewer are left.
        """
        self._left -= steps
        if self._left < 0:
            raise TooComplex


class _Automaton:
    """Several patterns at once. A state is a number: one bit for each position in each pattern."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._literals: dict[str, int] = {}
        self._stars = self._globstars = self._ends = 0
        start = bit = 0
        for pattern in patterns:
            start |= 1 << bit
            for token in _TOKEN.findall(pattern):
                match token:
                    case "*":
                        self._stars |= 1 << bit
                    case "**":
                        self._globstars |= 1 << bit
                    case _:
                        self._literals[token] = self._literals.get(token, 0) | 1 << bit
                bit += 1
            self._ends |= 1 << bit
            bit += 1
        self.start = self._closed(start)

    @property
    def characters(self) -> set[str]:
        """The characters that the patterns name."""
        return set(self._literals)

    def after(self, state: int, character: str) -> int:
        """Return the state after one more character of a path."""
        moved = (state & self._literals.get(character, 0)) << 1 | (state & self._globstars)
        if character != "/":
            moved |= state & self._stars
        return self._closed(moved)

    def accepts(self, state: int) -> bool:
        """Return whether one of the patterns matches what has been read."""
        return bool(state & self._ends)

    def _closed(self, state: int) -> int:
        """Add the positions after those that may stand for nothing."""
        while True:
            wider = state | (state & (self._stars | self._globstars)) << 1
            if wider == state:
                return state
            state = wider


def matches(patterns: Iterable[str], text: str) -> bool:
    """Return whether one of the patterns matches a text. The time grows with the text's length, whatever it is."""
    automaton = _Automaton(patterns)
    state = automaton.start
    for character in text:
        state = automaton.after(state, character)
    return automaton.accepts(state)


def uncovered_path(pattern: str, others: Sequence[str], budget: Budget) -> str | None:
    """Return a path that a pattern matches and none of the others, or None if there is none.

    Args:
        pattern: The pattern.
        others: The patterns that are to cover it together.
        budget: The steps that may be taken.

    Raises:
        TooComplex: The budget is spent.
    """
    if pattern in others or EVERYTHING in others:
        return None
    tokens = _TOKEN.findall(pattern)
    union = _Automaton(others)
    alphabet = _alphabet(union.characters | {token for token in tokens if token not in (_STAR, _GLOBSTAR)})
    seen = {(0, union.start)}
    queue = deque([(0, union.start, "")])
    while queue:
        at, state, path = queue.popleft()
        if at == len(tokens):
            if not union.accepts(state):
                return path
            continue
        for next_at, character in _moves(tokens[at], at, alphabet):
            budget.spend(_STEPS_OF_A_MOVE)
            next_state = union.after(state, character) if character else state
            if (next_at, next_state) not in seen:
                seen.add((next_at, next_state))
                queue.append((next_at, next_state, path + character))
    return None


def _alphabet(named: set[str]) -> Sequence[str]:
    """Return the characters to try: those that patterns name, the separator, and one that stands for all others."""
    other = next((character for character in _OTHERS if character not in named), None)
    if other is None:
        other = next(chr(code) for code in range(0x4E00, 0x9FFF) if chr(code) not in named)
    return sorted({*named, "/", other})


def _moves(token: str, at: int, alphabet: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield where a path can go on from a token of its pattern: the next token, and the character read on the way."""
    if token not in (_STAR, _GLOBSTAR):
        yield at + 1, token
        return
    yield at + 1, ""
    for character in alphabet:
        if token == _GLOBSTAR or character != "/":
            yield at, character
