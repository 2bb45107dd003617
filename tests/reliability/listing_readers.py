"""Readers in other languages that list an archive: processes that stay, and answer one archive after the other."""

import atexit
import hashlib
import json
import subprocess
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from local.readers import go, node, prepare_readers

_EMPTY: Final = hashlib.sha256().hexdigest()


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file as somebody sees it: its content by digest, and whether it can be executed."""

    sha256: str
    executable: bool


# By path after NFC, as libarchive unpacks them; None for a directory.
Tree = Mapping[str, SeenFile | None]


@dataclass(frozen=True, slots=True)
class ListedMember:
    """A member as a reader lists it; of a kind that is neither "file", "directory" nor "link" it can be anything."""

    name: str
    kind: str
    executable: bool
    link: str
    sha256: str


class Unreadable(Exception):
    """A reader gives up on an archive, or leaves a member out."""


class ListingReader:
    """A program that is given paths, a line each, and answers with a line of JSON each."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - one of our own programs
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        atexit.register(self._process.kill)

    def members(self, archive: Path) -> list[ListedMember]:
        """Return an archive's members.

        Raises:
            Unreadable: The reader gives up on it.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{archive}\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if answer["error"]:
            raise Unreadable(answer["error"])
        return [ListedMember(**member) for member in answer["members"] or ()]


@cache
def go_reader() -> ListingReader:
    """Return Go's archive/tar."""
    prepare_readers()
    return ListingReader([go()])


@cache
def node_reader() -> ListingReader:
    """Return node-tar."""
    prepare_readers()
    return ListingReader(node("read.js"))


def tree_of_members(members: Sequence[ListedMember]) -> Tree:
    """Return what lies there once members are unpacked in their order.

    Raises:
        Unreadable: A link leads to nothing, or a member is of a kind that has no place in a pack.
    """
    tree: dict[str, SeenFile | None] = {}
    for member in members:
        path = plain_path(member.name)
        for parent in Path(path).parents:
            tree.setdefault(str(parent), None)
        if member.kind == "directory":
            tree.setdefault(path, None)
        elif member.kind == "file":
            tree[path] = SeenFile(member.sha256, member.executable)
        elif member.kind == "link" and plain_path(member.link) in tree:
            tree[path] = tree[plain_path(member.link)]
        else:
            raise Unreadable(f"{member.name}: {member.kind}")
    return {path: seen for path, seen in tree.items() if path not in ("", ".")}


def plain_path(name: str) -> str:
    """Return a member's name as the path that it is unpacked to."""
    segments = (segment for segment in name.split("/") if segment not in ("", "."))
    return unicodedata.normalize("NFC", "/".join(segments))
