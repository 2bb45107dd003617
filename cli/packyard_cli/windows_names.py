"""Names that Windows cannot hold (Microsoft, "Naming Files, Paths, and Namespaces")."""

import re
from collections.abc import Iterable
from typing import Final

# With any extension; COM and LPT with the superscript digits too.
_RESERVED: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?:[ ]*\..*|[ ]*:.*)?\Z",
    re.IGNORECASE,
)
_FORBIDDEN: Final = re.compile(r'[<>:"|?*\\]')


def windows_fault(path: str) -> str | None:
    """Return why Windows cannot hold a file of this path, or None if it can."""
    for name in path.split("/"):
        if _RESERVED.match(name):
            return f"{name} is a name that Windows reserves, so nobody can install the pack there; rename it"
        if name.endswith((".", " ")):
            return f"{name!r} ends in a dot or a space, which Windows removes; rename it"
        found = _FORBIDDEN.search(name)
        if found is not None:
            return f"{name} holds {found[0]}, which no name on Windows may; rename it"
    return None


def same_without_case(paths: Iterable[str]) -> tuple[str, str] | None:
    """Return two names that are one where case does not count (Windows, macOS); None if there are none.

    Args:
        paths: The paths of files. Folders on their way count too.
    """
    seen: dict[str, str] = {}
    for path in sorted(paths):
        segments = path.split("/")
        for end in range(1, len(segments) + 1):
            here = "/".join(segments[:end])
            other = seen.setdefault(here.casefold(), here)
            if other != here:
                return other, here
    return None
