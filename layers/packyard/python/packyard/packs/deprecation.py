"""Deprecation: what a pack's owner says to those who use it (API contract, section 7). The pack works as before."""

from typing import Final, NamedTuple

from packyard.text.display import has_control_characters

# Every answer with the pack has the message, and a listing has up to 100 packs.
MAX_MESSAGE_CHARACTERS: Final = 500


class Deprecation(NamedTuple):
    """What is said of a deprecated pack.

    Attributes:
        message: For people: why, and what to do instead.
        replacement: The id of the pack to use instead; None if none is named.
    """

    message: str
    replacement: str | None = None


def check_message(text: str) -> None:
    """Check the message of a deprecation.

    Raises:
        ValueError: It is blank, longer than 500 characters, or not one line of text. The text says which.
    """
    if not text.strip() or len(text) > MAX_MESSAGE_CHARACTERS:
        raise ValueError(
            f"must be 1 to {MAX_MESSAGE_CHARACTERS} characters, and not blank; this has {len(text)}"
        )
    if has_control_characters(text):
        raise ValueError("must be one line without control characters")
