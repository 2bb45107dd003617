"""Finds the patterns of all rules in bytes, in one pass, with yara-x.

Its time grows with the length of the input alone: its regular expressions do not backtrack
(https://virustotal.github.io/yara-x/docs/writing_rules/patterns/). It is imported when an engine is made.
"""

import io
import math
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import yara_x

    from packyard.scanning.catalogue import Rule

# What may be between two words of an instruction: spaces, one line break with its indentation, marks of emphasis.
_GAP: Final = r"""[\s*_`>.,:;()"'#\x5b\x5d|-]{1,10}"""
_GAP_SIGN: Final = "~"
# yara-x cuts a pattern in two at a long jump over any byte, and takes the longest match of its first half alone, which
# can end behind the second one. A jump over all bytes but one is not cut (findings/yara-x-cuts-patterns.sh). No text
# has a NUL.
_JUMP: Final = r"[\s\S]{"
_JUMP_IN_ONE: Final = r"[^\x00]{"
# A pattern that matches everywhere is told of the first places only. Most of them may be harmless.
_MAX_MATCHES: Final = 2000
# Places are found in the order of the texts that the engine searches for, which may be anywhere in a match. So the last
# ones that it has told of may have others between them. It is less than the bytes that `_MAX_MATCHES` places take.
_OUT_OF_ORDER: Final = 1024


class EngineMissing(Exception):
    """yara-x is not installed."""


class ScanTimeout(Exception):
    """The time that a scan may take is over."""


class Match(NamedTuple):
    """A place at which a pattern of a rule was found.

    Attributes:
        rule: The rule's id.
        start: The offset of its first byte.
        end: The offset after its last one.
    """

    rule: str
    start: int
    end: int


class Found(NamedTuple):
    """What the engine found.

    Attributes:
        matches: The matches, in no order.
        complete_to: The offset before which no match that is wanted is missing; None if none is missing at all. It is
            at least some hundred bytes.
    """

    matches: list[Match]
    complete_to: int | None


class Engine:
    """Looks for the patterns of rules.

    Args:
        rules: The rules; those without patterns are left out.
        compiled: What `compiled` gave for the same rules and yara-x, which saves about a second; None to compile them.

    Raises:
        EngineMissing: yara-x is not installed.
    """

    def __init__(self, rules: "Iterable[Rule]", compiled: bytes | None = None) -> None:
        try:
            import yara_x  # noqa: PLC0415 - 37 MiB, which only scans need
        except ImportError as error:
            raise EngineMissing("yara-x is not installed") from error
        self._timeout_error = yara_x.TimeoutError
        with_patterns = [rule for rule in rules if rule.patterns]
        self._ids = {f"r{number}": rule.id for number, rule in enumerate(with_patterns)}
        if compiled is None:
            compiler = yara_x.Compiler()
            compiler.add_source(
                "\n".join(_source(name, rule) for name, rule in zip(self._ids, with_patterns, strict=True))
            )
            self._compiled = compiler.build()
        else:
            self._compiled = yara_x.Rules.deserialize_from(io.BytesIO(compiled))
        self._new_scanner: Callable[[], yara_x.Scanner] = lambda: yara_x.Scanner(self._compiled)
        # A scanner of yara-x can be used by the thread that made it, and panics in any other.
        self._of_thread = threading.local()

    def compiled(self) -> bytes:
        """Return the rules as the engine has compiled them."""
        file = io.BytesIO()
        self._compiled.serialize_into(file)
        return file.getvalue()

    def find(self, data: bytes, *, seconds: float, wanted: Collection[str] | None = None) -> Found:
        """Return the matches in some bytes, as many of each pattern as the engine tells of.

        Args:
            data: The bytes.
            seconds: How long to look; the engine counts whole seconds.
            wanted: The ids of the rules whose matches are returned; None for all.

        Raises:
            ScanTimeout: It took longer.
        """
        scanner = self._scanner()
        scanner.set_timeout(max(1, math.ceil(seconds)))
        try:
            results = scanner.scan(data)
        except self._timeout_error as error:
            raise ScanTimeout from error
        matches: list[Match] = []
        complete_to = None
        for rule in results.matching_rules:
            name = self._ids[rule.identifier]
            if wanted is not None and name not in wanted:
                continue
            for pattern in rule.patterns:
                places = pattern.matches
                matches += [Match(name, place.offset, place.offset + place.length) for place in places]
                if len(places) >= _MAX_MATCHES:
                    last = max(place.offset for place in places) - _OUT_OF_ORDER
                    complete_to = last if complete_to is None else min(complete_to, last)
        return Found(matches, complete_to)

    def _scanner(self) -> "yara_x.Scanner":
        scanner: yara_x.Scanner | None = getattr(self._of_thread, "scanner", None)
        if scanner is None:
            scanner = self._of_thread.scanner = self._new_scanner()
            scanner.max_matches_per_pattern(_MAX_MATCHES)
        return scanner


def source_of(rules: Mapping[str, "Rule"]) -> str:
    """Return the rules in YARA's language, for tests that look for what the compiler warns of."""
    return "\n".join(
        _source(f"r{number}", rule) for number, rule in enumerate(rules.values()) if rule.patterns
    )


def _source(name: str, rule: "Rule") -> str:
    patterns = (_with_gaps(pattern) if rule.prose else pattern for pattern in rule.patterns)
    strings = "\n".join(
        f"    $p{number} = {pattern.replace(_JUMP, _JUMP_IN_ONE)}" for number, pattern in enumerate(patterns)
    )
    return f"rule {name} {{\n  strings:\n{strings}\n  condition: any of them\n}}"


def _with_gaps(pattern: str) -> str:
    return pattern.replace(f"{_GAP_SIGN}?", f"({_GAP})?").replace(_GAP_SIGN, _GAP)
