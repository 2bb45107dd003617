"""`make demo`. Interrupts are handled first, before the slow imports."""

import argparse
import difflib
import sys
import tempfile
from pathlib import Path

from local.command import CommandFailed
from local.emulator import EmulatorFailed
from local.interruption import end_when_interrupted
from local.locks import StackRunning
from local.ports import PortUnusable, port_number


def main() -> int:
    """Play the tutorial, and draw it. Return 1 if it does not go as it says."""
    end_when_interrupted()
    arguments = argparse.ArgumentParser(prog="demo", description=__doc__)
    arguments.add_argument("--port", default="4566", help="of a stack to use, if one runs there")
    arguments.add_argument("--write", action="store_true", help="write the output into the tutorial")
    options = arguments.parse_args()

    from local.demo.playing import StoryFailed  # noqa: PLC0415 - what it imports takes long

    try:
        return _play(port_number(options.port), write=options.write)
    except (CommandFailed, EmulatorFailed, PortUnusable, StackRunning, StoryFailed) as error:
        sys.stderr.write(f"demo: {error}\n")
        return 1


def _play(port: int, *, write: bool) -> int:
    from local.demo.picture import PICTURE, picture  # noqa: PLC0415 - likewise
    from local.demo.playing import own_process  # noqa: PLC0415
    from local.demo.story import TUTORIAL, played, surroundings  # noqa: PLC0415
    from local.standing_stack import standing_or_own  # noqa: PLC0415

    with standing_or_own(port) as stack, tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "work"
        folder.mkdir()
        packyard = own_process(folder, surroundings(stack, Path(home)))
        now = played(stack, folder, packyard, show=lambda line: print(line, flush=True))
    stands = TUTORIAL.read_text(encoding="utf-8")
    if now != stands and not write:
        difference = difflib.unified_diff(
            stands.splitlines(keepends=True), now.splitlines(keepends=True), "docs/tutorial.md", "as it went"
        )
        sys.stderr.writelines(difference)
        sys.stderr.write("demo: it went otherwise than docs/tutorial.md says; ARGS=--write writes it there\n")
        return 1
    TUTORIAL.write_text(now, encoding="utf-8")
    PICTURE.write_text(picture(now), encoding="utf-8")
    print("\nIt went as docs/tutorial.md says. The picture is docs/demo.svg.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
