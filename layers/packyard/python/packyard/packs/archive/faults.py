"""What is wrong with an archive: gathered while it is read, so that people learn everything at once."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from packyard.errors import InvalidRequest
from packyard.packs.archive.member_path import shown

MAX_REPORTED: Final = 100
# Each time that this many go, there is room to read on; it bounds how often the tree is looked through for them.
_WORTH_GATHERING: Final = 20

# Tells what may not stand at the pack's root, by its path, as far as that is certain. It is given the names of members
# that were refused.
Misplaced = Callable[[Iterable[bytes]], Mapping[str, str]]


class ArchiveFaults:
    """Faults by field, bounded in number.

    Args:
        misplaced: Tells what may not stand at the root; all that is wrong below it is said by that one fault.
    """

    def __init__(self, misplaced: Misplaced) -> None:
        self._misplaced = misplaced
        self._fields: dict[str, str] = {}
        self._members: dict[str, bytes] = {}

    def __bool__(self) -> bool:
        return bool(self._fields)

    def add(self, name: bytes, reason: str) -> None:
        """Note what is wrong with a member.

        Args:
            name: The member's name as the archive has it.
            reason: For people.

        Raises:
            InvalidRequest: There are 100 already, and reading on would tell nobody more.
        """
        if len(self._fields) >= MAX_REPORTED:
            before = len(self._fields)
            self.gather()
            if before - len(self._fields) < _WORTH_GATHERING:
                self.merge({f"archive:{shown(name)}": reason})
        field = f"archive:{shown(name)}"
        self._members.setdefault(field, name)
        self.merge({field: reason})

    def gather(self) -> None:
        """Name what may not stand at the root once, instead of what is wrong with each member below it."""
        for path, reason in self._misplaced(self._members.values()).items():
            below = path.encode() + b"/"
            for field, name in list(self._members.items()):
                if name.removeprefix(b"./").startswith(below):
                    del self._members[field], self._fields[field]
            field = f"archive:{shown(path.encode())}"
            self._members.setdefault(field, path.encode())
            self.merge({field: reason})

    def merge(self, fields: Mapping[str, str]) -> None:
        """Note faults that have their fields; of two on one field the first stays.

        Raises:
            InvalidRequest: There are more than 100 in all.
        """
        for field, reason in fields.items():
            if len(self._fields) >= MAX_REPORTED and field not in self._fields:
                self._fields["archive"] = f"has more faults than the first {MAX_REPORTED}, which are listed"
                raise self.error()
            self._fields.setdefault(field, reason)

    def lead_with(self, fields: Mapping[str, str]) -> None:
        """Note what ended the reading, before all else: people read the first fault first.

        Raises:
            InvalidRequest: As for `merge`.
        """
        noted, self._fields = self._fields, {}
        self.merge(fields)
        self.merge(noted)

    def error(self) -> InvalidRequest:
        """Return the error that reports them all."""
        return InvalidRequest(self._fields)
