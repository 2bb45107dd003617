"""The form of a document of mappings, lists and text, and every fault of a value that has another form.

It is a description for `pack.yaml` and no more, so that reading one loads no library of data models (decision 82).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

Path = tuple[int | str, ...]


class FaultKind(Enum):
    """What is wrong with a value."""

    MISSING = auto()
    UNKNOWN_KEY = auto()
    NO_TEXT = auto()
    NO_LIST = auto()
    NO_MAPPING = auto()
    TOO_SHORT = auto()
    TOO_LONG = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        kind: What is wrong.
        path: The keys and indexes that lead to the value.
        given: The value; None where a key is missing or unknown.
        reason: Why text is refused; empty for other kinds.
    """

    kind: FaultKind
    path: Path
    given: object = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Text.

    Attributes:
        check: Raises ValueError if it refuses the text. The message is for people.
    """

    check: Callable[[str], object]

    def faults(self, value: object, path: Path) -> Iterator[Fault]:
        """Yield what is wrong with a value at a path."""
        if not isinstance(value, str):
            yield Fault(FaultKind.NO_TEXT, path, value)
            return
        try:
            self.check(value)
        except ValueError as error:
            yield Fault(FaultKind.REFUSED, path, value, str(error))


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list.

    Attributes:
        entry: The form of each entry.
        most: As many entries as it may have.
        least: As many as it must have.
    """

    entry: "Form"
    most: int
    least: int = 0

    def faults(self, value: object, path: Path) -> Iterator[Fault]:
        """Yield what is wrong with a value at a path. The entries of a list that is too long are not looked at."""
        if not isinstance(value, list):
            yield Fault(FaultKind.NO_LIST, path, value)
        elif len(value) > self.most:
            yield Fault(FaultKind.TOO_LONG, path, value)
        elif len(value) < self.least:
            yield Fault(FaultKind.TOO_SHORT, path, value)
        else:
            for at, entry in enumerate(value):
                yield from self.entry.faults(entry, (*path, at))


@dataclass(frozen=True, slots=True)
class Keys:
    """A mapping.

    Attributes:
        required: The forms of the values of keys that must be there.
        optional: The forms of the values of keys that may be missing.
    """

    required: Mapping[str, "Form"]
    optional: Mapping[str, "Form"] = field(default_factory=dict)

    @property
    def known(self) -> tuple[str, ...]:
        """The keys that it may have."""
        return (*self.required, *self.optional)

    def faults(self, value: object, path: Path) -> Iterator[Fault]:
        """Yield what is wrong with a value at a path: of known keys in the order of the form, then of others."""
        if not isinstance(value, dict):
            yield Fault(FaultKind.NO_MAPPING, path, value)
            return
        for key, form in (*self.required.items(), *self.optional.items()):
            if key in value:
                yield from form.faults(value[key], (*path, key))
            elif key in self.required:
                yield Fault(FaultKind.MISSING, (*path, key))
        for key in value:
            if key not in self.required and key not in self.optional:
                yield Fault(FaultKind.UNKNOWN_KEY, (*path, key))


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value: whoever uses it checks it."""

    def faults(self, _value: object, _path: Path) -> Iterator[Fault]:
        """Yield nothing."""
        yield from ()


Form = Text | ListOf | Keys | Anything
ANYTHING: Final = Anything()
