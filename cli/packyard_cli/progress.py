"""A progress bar: one line that is drawn again, on a terminal only."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Final

from packyard_cli.result import size_text

_WIDTH: Final = 30
_SECONDS_BETWEEN: Final = 0.1


@dataclass(slots=True)
class Progress:
    """How far something is that has a known size.

    Attributes:
        what: What happens, in a word or two.
        total: Bytes.
        stream: Where the bar is drawn; None draws none.
        clock: Seconds, ever growing.
    """

    what: str
    total: int
    stream: IO[str] | None
    clock: Callable[[], float] = time.monotonic
    done: int = 0
    _drawn_at: float = field(default=float("-inf"))

    def add(self, count: int) -> None:
        """Count bytes, and draw the bar if it is time to."""
        self.done += count
        now = self.clock()
        if self.stream is not None and (now - self._drawn_at >= _SECONDS_BETWEEN or self.done >= self.total):
            self._drawn_at = now
            self._draw(self.stream)

    def restart(self) -> None:
        """Begin again: what was counted has to be sent once more."""
        self.done = 0

    def end(self) -> None:
        """Take the bar away."""
        if self.stream is not None:
            print("\r\x1b[K", end="", file=self.stream, flush=True)

    def _draw(self, stream: IO[str]) -> None:
        part = min(self.done / self.total, 1) if self.total else 1
        bar = "#" * int(part * _WIDTH)
        text = f"{self.what} [{bar:<{_WIDTH}}] {part:4.0%} of {size_text(self.total)}"
        print(f"\r{text}\x1b[K", end="", file=stream, flush=True)
