"""What a door is to give: the files of a pack, byte for byte, and what was found instead."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

SKILL: Final = "SKILL.md"
_SHOWN: Final = 5


class DoorFailed(Exception):
    """A client did not get through a door what it should. The message says which, and what it got."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of a pack.

    Attributes:
        content: Its bytes.
        executable: Whether it is executable.
    """

    content: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedPack:
    """A pack as the doors are to serve it.

    Attributes:
        id: Its id.
        owner: The slug of its organisation.
        name: Its name there.
        flat_name: Its name in a door that knows no organisations.
        folder: Its name in the role: its alias, or its own.
        version: Its version.
        image: Its image at the distribution door: host, repository and digest.
        files: Its files, by path.
    """

    id: str
    owner: str
    name: str
    flat_name: str
    folder: str
    version: str
    image: str
    files: Mapping[str, File]

    @property
    def is_skill(self) -> bool:
        """Whether it brings its own SKILL.md."""
        return SKILL in self.files

    def with_made(self, skill: bytes) -> "ServedPack":
        """Return the pack with the SKILL.md that the service has made of it."""
        return replace(self, files={**self.files, SKILL: File(skill)})

    def require_in(self, folder: Path, *, modes: bool = False, beside: frozenset[str] = frozenset()) -> None:
        """Check that a folder holds this pack's files and nothing else.

        Args:
            folder: What a client has written.
            modes: Whether the client keeps which files are executable.
            beside: Files that are the client's own.

        Raises:
            DoorFailed: Something is missing, is different or is too much.
        """
        faults = [*self._faults(folder, modes=modes, beside=beside)]
        if faults:
            more = f", and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
            raise DoorFailed(f"{self.flat_name} in {folder}: {', '.join(faults[:_SHOWN])}{more}")

    def _faults(self, folder: Path, *, modes: bool, beside: frozenset[str]) -> Iterator[str]:
        places = (place for place in folder.rglob("*") if place.is_symlink() or not place.is_dir())
        found = {place.relative_to(folder).as_posix(): place for place in places}
        for path in sorted({*found, *self.files} - beside):
            if path not in found:
                yield f"{path} is missing"
            elif path not in self.files:
                yield f"{path} is none of its files"
            elif found[path].is_symlink() or found[path].read_bytes() != self.files[path].content:
                yield f"{path} has other bytes"
            elif modes and bool(found[path].stat().st_mode & 0o111) != self.files[path].executable:
                yield f"{path} has lost or gained its execute bit"
