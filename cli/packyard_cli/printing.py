"""Printing answers and failures: for people, for programs, with or without a terminal.

Names and descriptions come from other people, so no control character of theirs reaches the terminal. Colours are
printed on a terminal only, and not where `NO_COLOR` is set or `TERM` is `dumb` (no-color.org).
"""

import io
import re
from collections.abc import Mapping
from typing import IO, Any, Final, NamedTuple

from packyard_cli.failure import Failure
from packyard_cli.result import Result

# Control characters, and those that reorder what is displayed.
_UNSAFE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_GREEN, _RED, _BOLD, _RESET = "\x1b[32m", "\x1b[31m", "\x1b[1m", "\x1b[0m"
_COLOURS: Final = {"+ ": _GREEN, "- ": _RED}


class Printer(NamedTuple):
    """Prints one command's answer.

    Attributes:
        out: Where answers go.
        err: Where notes, progress and failures go.
        json: Whether exactly one JSON document is printed.
        quiet: Whether only the essence is printed.
        colour: Whether colours may be used.
    """

    out: IO[str]
    err: IO[str]
    json: bool = False
    quiet: bool = False
    colour: bool = False

    def note(self, text: str) -> None:
        """Print a line beside the answer."""
        if not self.quiet:
            print(safe(text), file=self.err, flush=True)

    def line(self, text: str) -> None:
        """Print a line of an answer that goes on."""
        print(safe(text), file=self.out, flush=True)

    def answer(self, result: Result) -> None:
        """Print an answer."""
        if self.json:
            if result.document is not None:
                self._print_document(result.document)
        elif result.content is not None:
            self._print_content(result.content)
        else:
            for line in result.essence if self.quiet else result.lines:
                print(self._styled(line), file=self.out)
        self.out.flush()

    def failure(self, failure: Failure) -> None:
        """Print a failure: as an answer with `--json`, otherwise beside it."""
        if self.json:
            try:
                self._print_document(failure.view())
                self.out.flush()
            except BrokenPipeError:
                raise
            except OSError:
                # The answer's place may be what has failed, such as a file on a full disk.
                pass
            else:
                return
        first, *others = failure.lines()
        name = f"{_BOLD}packyard:{_RESET}" if self.colour else "packyard:"
        print(name, safe(first), file=self.err)
        for line in others:
            print(safe(line), file=self.err)
        self.err.flush()

    def _print_document(self, document: Any) -> None:
        import json as writer  # noqa: PLC0415 - only --json needs it

        # ASCII, so that it can be printed in every locale.
        print(writer.dumps(document, indent=2), file=self.out)

    def _print_content(self, content: bytes) -> None:
        self.out.flush()
        raw = getattr(self.out, "buffer", None)
        if raw is None:
            self.out.write(content.decode(errors="replace"))
        else:
            raw.write(content)
            raw.flush()

    def _styled(self, line: str) -> str:
        text = safe(line)
        colour = _COLOURS.get(text.lstrip()[:2]) if self.colour else None
        return f"{colour}{text}{_RESET}" if colour else text


def safe(text: str) -> str:
    """Return text without characters that could steer a terminal; each is shown as an escape."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def may_colour(stream: IO[str], environment: Mapping[str, str], *, windows: bool) -> bool:
    """Return whether colours may be printed to a stream."""
    if not stream.isatty() or environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
        return False
    # The console of older Windows prints the escapes themselves; Windows Terminal sets this variable.
    return not windows or "WT_SESSION" in environment


def print_anything(stream: IO[str]) -> None:
    """Let a stream take every character: one that its encoding lacks is printed as an escape (LC_ALL=C)."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
