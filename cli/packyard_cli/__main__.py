"""Where the command starts. Importing takes most of a short command's time, and an interrupt may come meanwhile."""

import gc
import sys
from typing import Final

# Allocations between two collections. By default they are 700. Modules and lists of thousands of files are no garbage,
# and to look through them that often takes a sixth of the time.
_COLLECT_AFTER: Final = 20_000


def main() -> int:
    """Run the command, and return the exit code."""
    gc.set_threshold(_COLLECT_AFTER)
    try:
        from packyard_cli.main import main as run  # noqa: PLC0415 - an interrupt of the import is caught
    except KeyboardInterrupt:
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
