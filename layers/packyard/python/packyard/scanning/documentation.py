"""Whether a place is clearly documentation: text about attacks that quotes one (issue: severity falls there).

Something that is shown (in a code block, a quotation, a table or quotation marks) and that the text around it, or the
file's place, calls an example counts as documentation. One of the two alone lowers less or nothing: whoever writes an
attack can write the word "example" beside it.
"""

import re
from bisect import bisect_left
from functools import cached_property
from typing import Final

from packyard.scanning.file_kind import FileKind

_ABOUT_ATTACKS: Final = re.compile(
    rb"(?i)\b(?:attack(?:er|ers|s|ed)?|malicious|inject(?:ion|ions|ed)|exploit\w*|vulnerab\w+|detect\w*|red flags?|"
    rb"suspicious|dangerous|unsafe|insecure|phishing|payloads?|threats?|jailbreak\w*|adversar\w+|anti-?patterns?|"
    rb"untrusted|backdoors?|flagged|protect\w*|pentest\w*|penetration test|forensic\w*|yara|semgrep|sigma rule|"
    rb"sanitiz\w+|social engineering|malware|(?:bad|wrong|risky|bad example)\s*[:(]|example of an?|poison\w*|"
    rb"security (?:review|risk|issue|finding|audit)s?)\b"
    rb"|\xe2\x9d\x8c|\xe2\x9c\x97|\xf0\x9f\x9a\xab|\xe2\x9a\xa0"  # crosses and warning signs
)
_WARNED: Final = re.compile(
    rb"(?i)\b(?:never|avoid|do not|don't|instead of|rather than|refuse|reject|block|flag|no)"
    rb"\s+(?:[\w-]+\s+){0,3}[`\"'*]{0,3}$"
)
_IN_CODE: Final = re.compile(
    rb"(?i)re\.compile|regex|pattern|signature|detect|blocklist|denylist|deny|forbid|assert|expect\("
)
_COMMENT: Final = re.compile(rb"^\s*(?:#|//|\*|/\*|--|;|rem\b|<!--)")
_FOLDERS: Final = frozenset(
    {
        "reference",
        "references",
        "docs",
        "doc",
        "documentation",
        "test",
        "tests",
        "testing",
        "testdata",
        "fixtures",
    }
    | {
        "fixture",
        "evals",
        "eval",
        "examples",
        "example",
        "samples",
        "sample",
        "__tests__",
        "resources",
        "checklists",
    }
    | {"rules"}
)
_FENCE: Final = re.compile(rb"^[ \t]{0,3}(?:```|~~~)", re.MULTILINE)
_BEFORE: Final = 500
_AFTER: Final = 200
_LINE: Final = 2000
_WARNING: Final = 60
_MARKS: Final = ((b"`", b"`"), (b'"', b'"'), (b"'", b"'"), (b"\xe2\x80\x9c", b"\xe2\x80\x9d"), (b"|", b"|"))


class Surroundings:
    """What is around the places of one window.

    Args:
        path: The file.
        kind: Its kind.
        data: The window.
    """

    def __init__(self, path: str, kind: FileKind, data: bytes) -> None:
        self._kind = kind
        self._data = data
        self._in_place = not _FOLDERS.isdisjoint(path.lower().split("/")[:-1])
        self._named_so = _ABOUT_ATTACKS.search(path.encode("utf-8", "replace")) is not None

    def steps_down(self, start: int, end: int) -> int:
        """Return by how many steps the severity of a finding falls: 0 to 2.

        Args:
            start: The offset of the match in the window.
            end: The offset after it.
        """
        data = self._data
        line_start = data.rfind(b"\n", max(0, start - _LINE), start) + 1 or max(0, start - _LINE)
        line_end = data.find(b"\n", end, end + _LINE)
        line = data[line_start : end + _LINE if line_end < 0 else line_end]
        before, after = data[line_start:start], line[end - line_start :]
        if self._kind in (FileKind.GUIDE, FileKind.DATA):
            return self._in_prose(start, end, line, before, after)
        return self._in_code(start, line, before, after)

    def _in_code(self, start: int, line: bytes, before: bytes, after: bytes) -> int:
        commented = self._kind is FileKind.SCRIPT and _COMMENT.match(line) is not None
        near = self._data[max(0, start - _BEFORE) : start] + b" " + after[:_AFTER]
        about = _IN_CODE.search(near) or _ABOUT_ATTACKS.search(near)
        quoted = any(before.count(mark) % 2 for mark, _ in _MARKS[:3])
        if commented or (quoted and about):
            return 2 if self._in_place or _ABOUT_ATTACKS.search(line) else 1
        return 1 if self._in_place and quoted else 0

    def _in_prose(self, start: int, end: int, line: bytes, before: bytes, after: bytes) -> int:
        near = self._data[max(0, start - _BEFORE) : start] + b" " + self._data[end : end + _AFTER]
        about = self._named_so or _ABOUT_ATTACKS.search(near)
        shown = (
            line.lstrip().startswith((b">", b"|", b"- [ ]"))
            or any(opening in before and closing in after for opening, closing in _MARKS)
            or bisect_left(self._fences, start - len(before)) % 2 == 1
        )
        if _WARNED.search(before[-_WARNING:]) or (shown and about):
            return 2
        return 1 if self._in_place and (shown or about) else 0

    @cached_property
    def _fences(self) -> list[int]:
        return [match.start() for match in _FENCE.finditer(self._data)]
