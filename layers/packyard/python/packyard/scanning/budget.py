"""What a scan may use."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

# How many findings a report keeps.
MAX_FINDINGS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanBudget:
    """What a scan may use. A scan that reaches a bound ends as `incomplete`.

    Attributes:
        seconds: Time. A scan ends at most about a second later.
        bytes: Bytes of content that are read.
        findings: How many findings are kept, the worst first. Further ones are counted, and the scan goes on.
        files: Files that are read.
    """

    seconds: float = 20.0
    bytes: int = 1 << 30
    findings: int = MAX_FINDINGS
    files: int = 20_000


class ScannedFile(NamedTuple):
    """A file to scan.

    Attributes:
        path: Relative to the pack's root, with slashes.
        content: All bytes, or an iterable of pieces of any size, which is consumed once and never held as a whole.
    """

    path: str
    content: bytes | Iterable[bytes]
