"""Everything that is logged, as Lambda's runtime would write it at level DEBUG, and a search for secrets in it."""

import io
import json
import logging
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from packyard.composition.bootstrap import quiet_libraries

# Powertools', by the name that it gives a logger without a service's.
_OURS = "service_undefined"


@dataclass
class Log(logging.Handler):
    """Keeps every line, with all that its record carries.

    Attributes:
        lines: In order.
    """

    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(logging.DEBUG)

    def __hash__(self) -> int:
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        out = io.StringIO()
        out.write(record.getMessage())
        out.write(json.dumps({**vars(record), "exc_info": None}, default=str))
        if record.exc_info and record.exc_info[1] is not None:
            # Without the source's lines: they are ours, and quote no value.
            for line in traceback.format_exception(record.exc_info[1]):
                out.write(line)
        self.lines.append(out.getvalue())

    def telling(self, secrets: Iterable[str]) -> list[str]:
        """Return the places where a secret is in a line, one short text for each."""
        return [
            f"{secret!r}: …{line[max(0, at - 150) : at + 60]}"
            for secret in secrets
            for line in self.lines
            if (at := line.find(secret)) >= 0
        ]


@contextmanager
def everything_logged(*, hushed: bool = True) -> Iterator[Log]:
    """Keep what is logged while the context lasts.

    Args:
        hushed: Whether libraries' loggers are set as our functions set them when they start.
    """
    root, ours, noisy = logging.getLogger(), logging.getLogger(_OURS), logging.getLogger("urllib3")
    levels = [(logger, logger.level) for logger in (root, ours, noisy)]
    log = Log()
    root.addHandler(log)
    root.setLevel(logging.DEBUG)
    ours.setLevel(logging.DEBUG)
    if hushed:
        quiet_libraries()
    try:
        yield log
    finally:
        root.removeHandler(log)
        for logger, level in levels:
            logger.setLevel(level)
