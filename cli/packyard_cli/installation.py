"""An installation: a folder that appears whole, or stays as it was.

Everything is written into a folder beside it, verified there, and moved into place at the end. An installation that
stands is moved away first and removed last. If the process dies between these two moves, the next command that looks at
the folder moves it back. Only one process at a time fills a folder or moves it back (`folder_lock.py`).
"""

import errno
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from packyard_cli.failure import Exit, Failure
from packyard_cli.folder_lock import locked, not_writable
from packyard_cli.lock_document import LOCK_FILE, Lock, LockedPack, read_lock
from packyard_cli.pulled import PULL_FILE
from packyard_cli.windows_names import same_without_case, windows_fault

_NEW, _OLD = ".packyard-new-", ".packyard-old-"
_FOLDER_MODE: Final = 0o755


@dataclass(frozen=True, slots=True)
class Installation:
    """A folder that holds, or is to hold, what a lock names.

    Attributes:
        folder: The folder, resolved.
    """

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> "Installation":
        """Return the installation in a folder, after putting back one that a crash has left moved away.

        Raises:
            Failure: The folder is something else, or another process fills it just now.
        """
        place = _resolved(folder)
        if _moved_away(place):
            with locked(place):
                _move_back(place)
        return cls._at(folder, place)

    @classmethod
    @contextmanager
    def to_fill(cls, folder: Path) -> "Iterator[Installation]":
        """Yield the installation in a folder, which no other process may fill meanwhile.

        Raises:
            Failure: Another process fills it, or it is something else than a folder.
        """
        place = _resolved(folder)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except PermissionError as error:
            raise not_writable(place.parent, error) from None
        with locked(place) as alone:
            _move_back(place)
            if alone:
                _remove_unfinished(place)
            yield cls._at(folder, place)

    @classmethod
    def _at(cls, folder: Path, place: Path) -> "Installation":
        if place.exists() and not place.is_dir():
            raise Failure(
                Exit.USAGE, f"{folder} is no folder.", "Name a folder that is empty or not there yet."
            )
        return cls(place)

    @property
    def is_there(self) -> bool:
        """Whether something is installed."""
        return (self.folder / LOCK_FILE).exists()

    @property
    def lock(self) -> Lock | None:
        """The lock of what is installed; None where nothing is."""
        if not self.is_there:
            return None
        try:
            return read_lock(self.folder / LOCK_FILE)
        except Failure as failure:
            if failure.exit_code is Exit.LOCK:
                failure.advice = f"packyard install ROLE --into {self.folder} puts it right."
            raise

    @property
    def has_pull(self) -> bool:
        """Whether a pack was pulled into the folder, without a role."""
        return (self.folder / PULL_FILE).exists()

    def require_lock(self) -> Lock:
        """Return the lock of what is installed.

        Raises:
            Failure: No role is.
        """
        lock = self.lock
        if lock is None:
            if self.has_pull:
                raise Failure(
                    Exit.LOCK,
                    f"{self.folder} holds a pack that was pulled, and no role.",
                    f"packyard verify {self.folder} checks its files; packyard install ROLE installs a role.",
                )
            raise Failure(
                Exit.LOCK,
                f"Nothing is installed in {self.folder}.",
                f"packyard install ROLE --into {self.folder} does it.",
            )
        return lock

    def require_replaceable(self) -> None:
        """Check that nothing of somebody else's would be lost.

        Raises:
            Failure: There is something that no installation has put there, or the folder cannot be replaced: something
                is mounted there, or the command runs in it.
        """
        if self.folder.is_mount():
            raise Failure(
                Exit.DISK,
                f"A file system is mounted at {self.folder}, so the folder cannot be replaced as a whole.",
                f"Name a folder inside of it, such as {self.folder / 'packs'}.",
            )
        if Path.cwd().is_relative_to(self.folder):
            raise Failure(
                Exit.CONFLICT,
                f"{self.folder} would be replaced while you are in it, and you would be in a folder that is gone.",
                "Leave the folder first, or name another one.",
            )
        if self.folder.exists() and any(self.folder.iterdir()) and not (self.is_there or self.has_pull):
            raise Failure(
                Exit.CONFLICT,
                f"{self.folder} holds files, and no lock that says what was installed.",
                "Name a folder that is empty or not there yet.",
            )

    @contextmanager
    def replaced(self) -> Iterator[Path]:
        """Yield an empty folder; what it holds at the end is the installation, if nothing is raised.

        Raises:
            OSError: The file system refused; the installation is as it was.
        """
        new = Path(tempfile.mkdtemp(dir=self.folder.parent, prefix=f".{self.folder.name}{_NEW}"))
        try:
            yield new
            new.chmod(_FOLDER_MODE)
            with _uninterrupted():
                self._swap(new)
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def _swap(self, new: Path) -> None:
        if not self.folder.exists():
            new.rename(self.folder)
            return
        old = new.with_name(new.name.replace(_NEW, _OLD))
        try:
            self.folder.rename(old)
        except OSError as error:
            if error.errno == errno.EXDEV:
                raise self._fixed() from None
            raise
        try:
            new.rename(self.folder)
        except BaseException:
            old.rename(self.folder)
            raise
        shutil.rmtree(old, ignore_errors=True)

    def _fixed(self) -> Failure:
        """Return that the folder cannot be moved.

        A folder that is part of a container's image has a layer below it that is read-only (Linux,
        Documentation/filesystems/overlayfs.rst, "renaming directories").
        """
        return Failure(
            Exit.DISK,
            f"{self.folder} is part of the container's image, or a mount, so it cannot be replaced as a whole.",
            "Install into a folder that the image does not have, or into one on a volume.",
        )


def _resolved(folder: Path) -> Path:
    try:
        return folder.resolve()
    except RuntimeError:
        # Until Python 3.13, a loop of links is none of the file system's errors.
        raise Failure(
            Exit.USAGE, f"{folder} is a link that leads to itself.", "Remove it, or name another folder."
        ) from None


def _moved_away(place: Path) -> Path | None:
    """Return where a crash has left what belongs to a place; None if nothing is missing."""
    if place.exists():
        return None
    return next(iter(sorted(place.parent.glob(f".{place.name}{_OLD}*"))), None)


def _move_back(place: Path) -> None:
    left = _moved_away(place)
    if left is not None:
        left.rename(place)


def _remove_unfinished(place: Path) -> None:
    """Remove what processes that were killed have left beside a place."""
    for kind in (_NEW, _OLD):
        for left in place.parent.glob(f".{place.name}{kind}*"):
            shutil.rmtree(left, ignore_errors=True)


def require_fit_names(packs: tuple[LockedPack, ...], *, windows: bool, folds_case: bool) -> None:
    """Check that this system can hold every name.

    Args:
        packs: What is to be installed.
        windows: Whether this is Windows.
        folds_case: Whether the file system takes `A` and `a` for one name.

    Raises:
        Failure: It cannot.
    """
    paths = [f"{pack.folder}/{file.path}" for pack in packs for file in pack.files]
    for path in paths if windows else ():
        fault = windows_fault(path)
        if fault is not None:
            raise Failure(
                Exit.UNFIT_NAME,
                f"{path} cannot be installed here: {fault}.",
                "Ask the pack's owner to rename the file.",
            )
    same = same_without_case(paths) if folds_case else None
    if same is not None:
        raise Failure(
            Exit.UNFIT_NAME,
            f"{same[0]} and {same[1]} are one file on this system, where case does not count.",
            "Ask the pack's owner to rename one of them, or install on a file system where case counts.",
        )


def folds_case(folder: Path) -> bool:
    """Return whether a folder's file system takes `A` and `a` for one name."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".packyard-Case-")
    os.close(descriptor)
    try:
        return Path(name).with_name(Path(name).name.swapcase()).exists()
    finally:
        with suppress(OSError):
            Path(name).unlink()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let an interrupt wait until two renames are done."""
    if sys.platform == "win32":
        # Renames there are quick, and signals are delivered between bytecodes in any case.
        yield
        return
    pending: list[object] = []
    before: dict[signal.Signals, Any] = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(ValueError):
            before[number] = signal.signal(number, lambda *given: pending.append(given))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if pending:
        raise KeyboardInterrupt
