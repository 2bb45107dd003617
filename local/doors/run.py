"""All doors by all clients."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from local.doors import bundle, claude, clawhub, distribution, imported, mcp, skills
from local.doors.stage import change, set_up
from local.doors.trial import Passed
from local.stack import StackDescription

_VERIFIED: Final = (
    skills.verify,
    claude.verify,
    clawhub.verify,
    mcp.verify,
    distribution.verify,
    bundle.verify,
)
_VERIFIED_AGAIN: Final = (skills.verify_update, claude.verify_update, clawhub.verify_update)


def tried(stack: StackDescription, folder: Path, *, show: Callable[[str], None]) -> Iterator[Passed]:
    """Yield what each client got.

    Args:
        stack: A running stack.
        folder: An empty folder.
        show: Is told what is being done.

    Raises:
        DoorFailed: A client got something else than the packs.
    """
    trial = set_up(stack, folder)
    for verify in _VERIFIED:
        yield from _shown(verify(trial), verify.__module__, show)
    yield from _shown(imported.verify(trial, stack), imported.__name__, show)
    changed = change(stack, trial)
    for verify in _VERIFIED_AGAIN:
        yield from _shown(verify(changed), verify.__module__, show)


def _shown(passing: Iterator[Passed], name: str, show: Callable[[str], None]) -> Iterator[Passed]:
    began = time.monotonic()
    for passed in passing:
        show(f"{passed.client} {passed.version}, {passed.ran}: {passed.verified}")
        yield passed
    show(f"  {name.rpartition('.')[2]}: {time.monotonic() - began:.0f} s")
