"""Text that people read, as far as every field of free text is alike."""

import re
from typing import Final

# Control characters, line separators, and bidirectional controls, which can reorder displayed text.
_FORBIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def has_control_characters(text: str) -> bool:
    """Return whether a text holds a character that cannot be shown in one line, or that reorders what is shown."""
    return _FORBIDDEN.search(text) is not None


def without_control_characters(text: str, *, keep: str = "") -> str:
    """Return a text without the characters that `has_control_characters` looks for.

    Args:
        text: The text.
        keep: Those that stay.
    """
    return _FORBIDDEN.sub(lambda found: found[0] if found[0] in keep else "", text)
