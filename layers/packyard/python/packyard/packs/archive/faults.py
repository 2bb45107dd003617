"""The faults of an archive, collected while it is read, so that one refusal reports all of them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from packyard.errors import InvalidRequest
from packyard.packs.archive.member_path import shown

MAX_REPORTED: Final = 100
# If merging faults frees at least this many places, reading goes on. This bounds how often the faults are merged.
_WORTH_MERGING: Final = 20

# Returns the entries that may not be at the pack's root, as far as that is certain: the fault by path. Its argument has
# the names of the refused members.
FindMisplaced = Callable[[Iterable[bytes]], Mapping[str, str]]


class ArchiveFaults:
    """Faults by field, at most 100.

    Args:
        find_misplaced: Returns the entries that may not be at the pack's root. The one fault of such an entry replaces
            the faults of all members below it.
    """

    def __init__(self, find_misplaced: FindMisplaced) -> None:
        self._find_misplaced = find_misplaced
        self._fields: dict[str, str] = {}
        self._members: dict[str, bytes] = {}

    def __bool__(self) -> bool:
        return bool(self._fields)

    def add(self, name: bytes, reason: str) -> None:
        """Add the fault of a member.

        Args:
            name: The member's name as the archive has it.
            reason: The fault, as a text for people.

        Raises:
            InvalidRequest: There are 100 faults already, and too few of them can be merged.
        """
        if len(self._fields) >= MAX_REPORTED:
            before = len(self._fields)
            self.merge_misplaced()
            if before - len(self._fields) < _WORTH_MERGING:
                self.merge({f"archive:{shown(name)}": reason})
        field = f"archive:{shown(name)}"
        self._members.setdefault(field, name)
        self.merge({field: reason})

    def merge_misplaced(self) -> None:
        """Add one fault for each entry that may not be at the root, and drop the faults of the members below it."""
        for path, reason in self._find_misplaced(self._members.values()).items():
            below = path.encode() + b"/"
            for field, name in list(self._members.items()):
                if name.removeprefix(b"./").startswith(below):
                    del self._members[field], self._fields[field]
            field = f"archive:{shown(path.encode())}"
            self._members.setdefault(field, path.encode())
            self.merge({field: reason})

    def misplaced(self) -> dict[str, str]:
        """Return the faults of the entries that may not be at the root, by field. They are not added."""
        found = self._find_misplaced(self._members.values())
        return {f"archive:{shown(path.encode())}": reason for path, reason in found.items()}

    def merge(self, fields: Mapping[str, str]) -> None:
        """Add faults by field. If a field has a fault already, the earlier one stays.

        Raises:
            InvalidRequest: There would be more than 100 faults.
        """
        for field, reason in fields.items():
            if len(self._fields) >= MAX_REPORTED and field not in self._fields:
                self._fields["archive"] = f"has more faults than the first {MAX_REPORTED}, which are listed"
                raise self.error()
            self._fields.setdefault(field, reason)

    def lead_with(self, fields: Mapping[str, str]) -> None:
        """Add the faults that ended the reading in front of all others, because people read the first fault first.

        Raises:
            InvalidRequest: As for `merge`.
        """
        earlier, self._fields = self._fields, {}
        self.merge(fields)
        self.merge(earlier)

    def error(self) -> InvalidRequest:
        """Return the error that reports all faults."""
        return InvalidRequest(self._fields)
