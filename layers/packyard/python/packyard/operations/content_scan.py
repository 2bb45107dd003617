"""Scanning the files of a pack, in bounded time and by the function that does nothing else (decision 126).

A scan never makes a publish fail by itself: if the function does not answer in its time, the result is `incomplete`,
and a later scan is due. The policy of the organisation says whether that is refused.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from packyard.aws.scan_function import ScanFailed, ScanFunction
from packyard.oci.build.compression import inflate_pieces
from packyard.scanning.messages import Facts, ScanRequest
from packyard.scanning.parts import ScannableFile, requests
from packyard.scanning.result import ScanResult, result_of

if TYPE_CHECKING:
    from packyard.scanning.report import ScanReport

# Of one request to the function. Its own timeout is longer.
_REQUEST_SECONDS: Final = 5.0
# Of the time that is left, the scans of a pack may take this part: about 2 s of a request's, 90 s of a build's.
_PART_OF_TIME: Final = 0.1
# With less left, a scanner that hangs would take the time for the push.
_LEAST_SECONDS: Final = 12.0
_NO_ANSWER: Final = "the scanner did not answer in time"
_TOO_LONG: Final = "the scan took longer than it may"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentScanner:
    """Scans files.

    Attributes:
        function: What scans.
        time_left: For how many seconds the present invocation may still wait for a scan.
        monotonic: Returns seconds, from a clock that never goes back.
        clock: The present instant, UTC.
    """

    function: ScanFunction
    time_left: Callable[[], float]
    monotonic: Callable[[], float]
    clock: Callable[[], datetime]

    def scan(self, files: Iterable[ScannableFile], *, known: Facts | None = None) -> ScanResult:
        """Return the result for some files. One invocation for each four megabytes or so of compressed content.

        Args:
            files: The files; none for none.
            known: What other files of the pack do that matters for these, by path.
        """
        reports: list[ScanReport] = []
        facts = dict(known or {})
        ends = self.monotonic() + self.time_left() * _PART_OF_TIME
        incomplete = None
        for parts in requests(files, inflate=_inflate):
            left = ends - self.monotonic()
            if left <= 0 or self.time_left() < _LEAST_SECONDS:
                incomplete = _TOO_LONG
                break
            request = ScanRequest(parts=parts, known=facts, seconds=min(left, _REQUEST_SECONDS))
            try:
                report = self.function.scan(request)
            except ScanFailed:
                incomplete = _NO_ANSWER
                break
            reports.append(report)
            facts |= report.facts
        return result_of(reports, at=self.clock(), incomplete=incomplete)


def _inflate(compressed: bytes, raw_size: int) -> bytes:
    return inflate_pieces(compressed, size=raw_size)
