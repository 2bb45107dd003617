"""What differs from run to run, as text in angle brackets. The same text stands for the same value."""

import re
from collections.abc import Mapping
from typing import Final

_VARYING: Final = re.compile(
    r"(?P<digest>(?<=sha256:)[0-9a-f]{64})"
    r"|(?P<pack>pack_[0-9A-Za-z]{26})"
    r"|(?P<org>org_[0-9A-Za-z]{26})"
    r"|(?P<request>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"
    # Compressors for other processors make other sizes.
    r"|(?P<size>(?<=compressed_bytes: )[\d.]+ [KMG]?i?B)"
)


class Placeholders:
    """Replaces values that differ from run to run.

    Args:
        names: Texts that are known before, such as the registry's address, with their placeholders.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)
        self._given: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def replaced(self, line: str) -> str:
        """Return a line of output with placeholders."""
        for text, placeholder in self._names.items():
            line = line.replace(text, placeholder)
        return _VARYING.sub(self._placeholder, line)

    def _placeholder(self, match: re.Match[str]) -> str:
        kind, text = str(match.lastgroup), match[0]
        if text not in self._given:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._given[text] = f"<{kind}-{self._counts[kind]}>"
        return self._given[text]
