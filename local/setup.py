"""`python3 -m local.setup TARGET`: fetches what a target of the Makefile needs and this machine lacks.

This module runs first, on any Python that the machine has. It must parse in Python 3.6, so that an old Python can print
that it is too old. Everything else is imported after that.
"""

import sys

OLDEST = (3, 11)


def too_old(version: "tuple[int, ...]", executable: str) -> "str | None":
    """Return the message about a Python that is too old, or None.

    Args:
        version: Its major and minor version.
        executable: Where it is.
    """
    if version >= OLDEST:
        return None
    wanted, found = (".".join(map(str, numbers)) for numbers in (OLDEST, version))
    return (
        f"Packyard needs Python {wanted} or newer, and {executable} is {found}. Name a newer one, such as "
        "`make run PYTHON=python3.13`; where there is none, `pip install uv && uv python install 3.13` brings it, "
        'then `make run PYTHON="$(uv python find 3.13)"`.'
    )


def main() -> int:
    """Fetch what the command line's target needs. If that is impossible, print why and return 1."""
    complaint = too_old(tuple(sys.version_info[:2]), sys.executable)
    if complaint:
        sys.stderr.write(f"setup: {complaint}\n")
        return 1

    from local.needs import fetch_for  # noqa: PLC0415 - does not parse in an old Python

    return fetch_for(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
