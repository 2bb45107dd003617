"""What a detector has seen, before it becomes a finding."""

from typing import NamedTuple

from packyard.scanning.finding import Severity


class Sighting(NamedTuple):
    """One place.

    Attributes:
        rule: The rule's id.
        line: From 1, in the text that the detector was given; None for the file as a whole.
        excerpt: Printable text.
        severity: Other than the rule's; None for that one.
        also: A sentence to add to the rule's reason.
    """

    rule: str
    line: int | None
    excerpt: str
    severity: Severity | None = None
    also: str = ""
