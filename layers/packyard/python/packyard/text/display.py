"""Text that people read, as far as every field of free text is alike."""

import re
from typing import Final

# Control characters, line separators, and bidirectional controls, which can reorder displayed text.
_FORBIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def has_control_characters(text: str) -> bool:
    """Return whether a text holds a character that cannot be shown in one line, or that reorders what is shown."""
    return _FORBIDDEN.search(text) is not None
