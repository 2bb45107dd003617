"""What is wrong with an archive: gathered while it is read, so that people learn everything at once."""

from collections.abc import Mapping
from typing import Final

from packyard.errors import InvalidRequest
from packyard.packs.member_path import shown

_MAX_REPORTED: Final = 100


class ArchiveFaults:
    """Faults by field, bounded in number."""

    def __init__(self) -> None:
        self._fields: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._fields)

    def add(self, name: bytes, reason: str) -> None:
        """Note what is wrong with a member.

        Args:
            name: The member's name as the archive has it.
            reason: For people.

        Raises:
            InvalidRequest: There are 100 already; reading on would tell nobody more.
        """
        self.merge({f"archive:{shown(name)}": reason})

    def merge(self, fields: Mapping[str, str]) -> None:
        """Note faults that have their fields; of two on one field the first stays.

        Raises:
            InvalidRequest: There are more than 100 in all.
        """
        for field, reason in fields.items():
            if len(self._fields) >= _MAX_REPORTED and field not in self._fields:
                self._fields["archive"] = f"has more faults than the first {_MAX_REPORTED}, which are listed"
                raise self.error()
            self._fields.setdefault(field, reason)

    def error(self) -> InvalidRequest:
        """Return the error that reports them all."""
        return InvalidRequest(self._fields)
