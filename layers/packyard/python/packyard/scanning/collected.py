"""Keeps the worst findings of a scan."""

from packyard.scanning.finding import Finding

# Of one rule in one file. A file that repeats itself leaves room for others.
_OF_ONE_RULE = 10


class Collected:
    """The findings of a scan, of which the worst are kept.

    Args:
        most: How many are kept.

    Attributes:
        left_off: How many are not.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[tuple[str, str, int | None], Finding] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self.left_off = 0

    def add(self, finding: Finding) -> None:
        """Take a finding. Of one rule and one line, the worst one counts."""
        place = (finding.rule, finding.path, finding.line)
        there = self._kept.get(place)
        if there is not None:
            if there.severity.rank < finding.severity.rank:
                self._kept[place] = finding
            return
        count = self._counts.get(place[:2], 0)
        if count >= _OF_ONE_RULE:
            self.left_off += 1
            return
        self._counts[place[:2]] = count + 1
        self._kept[place] = finding
        # Sorting at every finding would take long, and keeping all would need unbounded memory.
        if len(self._kept) >= 2 * self._most + 100:
            self._cut()

    def worst(self) -> tuple[Finding, ...]:
        """Return what is kept, the worst first, then by path and line."""
        self._cut()
        return tuple(self._kept.values())

    def _cut(self) -> None:
        ordered = sorted(
            self._kept.items(),
            key=lambda entry: (-entry[1].severity.rank, entry[1].path, entry[1].line or 0, entry[1].rule),
        )
        self.left_off += max(0, len(ordered) - self._most)
        self._kept = dict(ordered[: self._most])
