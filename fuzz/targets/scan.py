"""The scanner: any bytes under any path give a bounded report that repeats itself, and no excerpt shows a secret.

The first line is the path. A made-up token is put at the end of the content.
"""

import random
import string
from collections.abc import Iterator
from typing import Final

from tests.scanning import hidden, instructions, scripts

from packyard.scanning.budget import ScannedFile
from packyard.scanning.finding import MAX_EXCERPT, parse_finding
from packyard.scanning.scanner import Scanner

_MOST: Final = 100
# Random, so that nothing that a fuzzer finds is equal to it; the same in every process.
_TOKEN: Final = "".join(random.Random(0).choices(string.ascii_letters + string.digits, k=36))  # noqa: S311


# Made here, since that takes longer than an input may.
_SCANNER: Final = Scanner()
_SCANNER.prepare()


def check(data: bytes) -> None:
    name, _, content = data.partition(b"\n")
    path = name[:200].decode("utf-8", "replace") or "guides/a.md"
    whole = content + b"\nghp_" + _TOKEN.encode() + b"\n"
    report = _SCANNER.scan([ScannedFile(path, whole)])
    pieces = (whole[at : at + 100] for at in range(0, len(whole), 100))
    assert _SCANNER.scan([ScannedFile(path, pieces)]) == report
    assert report.incomplete is None
    assert len(report.findings) <= _MOST
    ranks = [finding.severity.rank for finding in report.findings]
    assert ranks == sorted(ranks, reverse=True)
    for finding in report.findings:
        assert parse_finding(finding.view()) == finding
        assert len(finding.excerpt) <= MAX_EXCERPT
        assert finding.excerpt.isprintable()
        assert _TOKEN[8:] not in finding.excerpt
        assert finding.line is None or 1 <= finding.line <= whole.count(b"\n") + 1


def seeds() -> Iterator[bytes]:
    for module in (instructions, scripts, hidden):
        for imitation in (*module.TUNING, *module.HELD_OUT):
            for file in imitation.scanned():
                assert isinstance(file.content, bytes)
                yield file.path.encode() + b"\n" + file.content
