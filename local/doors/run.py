"""All doors by all clients."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from local.doors import bundle, claude, clawhub, distribution, mcp, skills
from local.doors.stage import set_up
from local.doors.trial import Passed, Trial
from local.stack import StackDescription

_DOORS: Final = (skills, claude, clawhub, mcp, distribution, bundle)


def tried(stack: StackDescription, folder: Path, *, show: Callable[[str], None]) -> Iterator[Passed]:
    """Yield what each client got.

    Args:
        stack: A running stack.
        folder: An empty folder.
        show: Is told what is being done.

    Raises:
        DoorFailed: A client got something else than the packs.
    """
    trial: Trial = set_up(stack, folder)
    for door in _DOORS:
        began = time.monotonic()
        for passed in door.verify(trial):
            show(f"{passed.client} {passed.version}, {passed.ran}: {passed.verified}")
            yield passed
        show(f"  {door.__name__.rpartition('.')[2]} took {time.monotonic() - began:.0f} s")
