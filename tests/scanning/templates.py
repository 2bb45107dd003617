"""Texts with secrets that are made when a test runs, so that no file of this repository holds one.

`{A:20}` stands for 20 letters and digits. The same template always gives the same text.
"""

import base64
import random
import re
import string
from typing import Final

_CLASSES: Final = {
    "A": string.ascii_letters + string.digits,
    "B": string.ascii_letters + string.digits + "+/",
    "C": string.ascii_letters,
    "D": string.digits,
    "H": "0123456789abcdef",
    "U": string.ascii_uppercase + "234567",
    "Z": string.ascii_uppercase + string.digits,
}
_HOLE: Final = re.compile(r"\{([ABCDHUZ]):(\d{1,3})\}")


def filled(template: str) -> str:
    """Return the text with every hole filled."""
    source = random.Random(template)  # noqa: S311 - made-up keys

    def fill(hole: re.Match[str]) -> str:
        return "".join(source.choices(_CLASSES[hole[1]], k=int(hole[2])))

    return _HOLE.sub(fill, template)


def encoded(text: str) -> str:
    """Return a text in base64, so that no file of this repository holds an encoded command."""
    return base64.b64encode(text.encode()).decode()
