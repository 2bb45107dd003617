"""A harmless imitation of an attack: it has the form, and does nothing. Hosts end in `.invalid`, keys are random."""

from collections.abc import Mapping
from typing import NamedTuple

from tests.scanning.templates import filled

from packyard.scanning.budget import ScannedFile


class Imitation(NamedTuple):
    """One imitation.

    Attributes:
        technique: What is imitated, in a few words.
        files: Contents by path; templates (`tests.scanning.templates`). One with a byte order mark is in UTF-16.
        groups: The groups of rules, or rules, one of which must find it.
    """

    technique: str
    files: Mapping[str, str]
    groups: frozenset[str]

    def scanned(self) -> list[ScannedFile]:
        """Return the files, filled."""
        return [
            ScannedFile(path, filled(text).encode("utf-16-le" if text.startswith("\ufeff") else "utf-8"))
            for path, text in self.files.items()
        ]


def imitations(groups: str, path: str, samples: Mapping[str, str]) -> list[Imitation]:
    """Return imitations that have one file each.

    Args:
        groups: The groups, separated by spaces.
        path: The file's path.
        samples: Contents by technique.
    """
    return [
        Imitation(technique, {path: text}, frozenset(groups.split())) for technique, text in samples.items()
    ]
