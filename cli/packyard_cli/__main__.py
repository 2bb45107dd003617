"""Where the command starts. Importing takes most of a short command's time, and an interrupt may come meanwhile."""

import sys


def main() -> int:
    """Run the command, and return the exit code."""
    try:
        from packyard_cli.main import main as run  # noqa: PLC0415 - an interrupt of the import is caught
    except KeyboardInterrupt:
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
