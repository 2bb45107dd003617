"""Reading untrusted YAML, and writing YAML that all readers interpret alike (API contract, section 3, `pack.yaml`).

PyYAML's loaders compose a tree recursively, resolve aliases, apply tags and accept repeated keys silently. None of that
is safe for an untrusted file. So this module processes the parser's *events* in one loop and builds plain values:

- Tags are refused. Anchors and aliases are refused too, because a few lines of them can expand to millions of values.
- Keys are text, and none may repeat. `<<` is an ordinary key and merges nothing.
- Values are limited to those of JSON: text, null, booleans, 64-bit integers, finite floats, lists and mappings.
- A plain (unquoted) scalar that YAML 1.1 and YAML 1.2 interpret differently (`yes`, `y`, `0644`, `1:30`, `1_000`,
  `1e3`, `2024-01-01`) is refused, as a value and as a key. In quotes, it is text to every reader.
- U+0085, U+2028 and U+2029 are line breaks in YAML 1.1 and text in YAML 1.2 (section 5.4). So they can make a comment
  in one version a key in the other (go-yaml, issue 922). Some readers skip a byte order mark inside the text. All four
  characters are refused. As escapes in double quotes, they are text to every reader.

The parser is libyaml. It takes a tenth of the time of PyYAML's own parser, and it refuses lone surrogates, which
PyYAML's own accepts. Its time grows with the square of the depth of flow collections (a minute for 256 KiB of `[`), so
the limit on depth also keeps it fast.
"""

import math
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final, NoReturn

import yaml
from yaml.reader import ReaderError

from packyard.errors import InvalidRequest
from packyard.packs.manifest.yaml_faults import explain, line_of, mistake_in, place

MAX_DEPTH: Final = 32
MAX_NODES: Final = 20_000

_FIELD: Final = "pack.yaml"
_MAX_ECHO: Final = 40
_LONGEST_NUMBER: Final = 40
_INT64: Final = range(-(2**63), 2**63)

# The plain scalars that have the same value in YAML 1.1 and YAML 1.2.
_CONSTANTS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"(?:[-+]?[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?")
# Numbers of the core schema (YAML 1.2.2, section 10.3.2). PyYAML implements YAML 1.1, so it does not know all of them.
_CORE_NUMBER: Final = re.compile(
    r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+)\Z"
)
# Spellings of booleans and null that only some readers of YAML 1.1 know (yaml.org/type/bool.html; Psych).
_LOOSE_CONSTANT: Final = re.compile(r"(?:y|yes|n|no|on|off|true|false|null)\Z", re.IGNORECASE)
# With single digits, only go-yaml takes this for a date; to other readers it is text.
_LOOSE_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}\Z")
_TEXT_TAG: Final = "tag:yaml.org,2002:str"
# Characters that some readers misread, each with its escape (YAML 1.2.2, section 5.7).
_MISREAD: Final = {"\x85": "\\N", "\u2028": "\\L", "\u2029": "\\P", "\ufeff": "\\uFEFF"}
_MISREAD_CHARACTER: Final = re.compile(f"[{''.join(_MISREAD)}]")
# UTF-32 first, because its byte order mark begins with that of UTF-16.
_OTHER_ENCODINGS: Final = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")
_NO_MAPPING: Final = "must be a mapping: lines of key: value, with a space after each colon"
_SAVE_AS_UTF_8: Final = "save the file as UTF-8"


class _Resolver(yaml.resolver.Resolver):
    """Resolves a plain scalar by the rules of YAML 1.1 and, if they do not apply, of YAML 1.2."""


class _Dumper(yaml.CSafeDumper):
    """Puts a text in quotes if any reader would interpret it as something else."""


for _class in (_Resolver, _Dumper):
    _class.add_implicit_resolver("tag:yaml.org,2002:float", _CORE_NUMBER, list("-+.0123456789"))
    _class.add_implicit_resolver("tag:yaml.org,2002:bool", _LOOSE_CONSTANT, list("yYnNoOtTfF"))
    _class.add_implicit_resolver("tag:yaml.org,2002:timestamp", _LOOSE_DATE, list("0123456789"))
_RESOLVER: Final = _Resolver()


# Is told the keys that lead to a plain value that readers read differently, which is then taken as text.
OnUncertain = Callable[[str], None]


def load_mapping(
    content: bytes, *, as_written: Collection[str] = (), on_uncertain: OnUncertain | None = None
) -> dict[str, Any]:
    """Return the one mapping in `content`, with text as keys and the values of JSON.

    Args:
        content: UTF-8, with or without a byte order mark. The caller limits its size.
        as_written: Top-level keys whose plain values are returned as text, even if they are numbers, dates or booleans
            in YAML; null stays null. Use it for keys whose values the caller checks against a grammar of its own.
        on_uncertain: Takes the path of each plain value that readers read differently. None: such a value is refused.

    Raises:
        InvalidRequest: On `pack.yaml`, with line and column: not UTF-8, not YAML, not exactly one mapping,
            nested deeper than 32, more than 20,000 values, or something else that the module's docstring refuses.
    """
    text = _decoded(content)
    misread = _MISREAD_CHARACTER.search(text)
    if misread is not None:
        raise InvalidRequest({_FIELD: _position(text[: misread.start()]) + _misread(misread[0])})
    try:
        return _Builder(as_written, on_uncertain).build(yaml.parse(text, Loader=yaml.CSafeLoader))
    except _Refused as fault:
        mistake = mistake_in(line_of(fault.mark, text)) if fault.mark else None
        where = place(fault.mark) if fault.mark else ""
        raise InvalidRequest({_FIELD: where + (mistake or fault.reason)}) from None
    except ReaderError as error:
        # libyaml counts the position in bytes of UTF-8.
        before = text.encode()[: error.position].decode(errors="ignore")
        reason = f"the character U+{error.character:04X} is not allowed in YAML; remove it"
        raise InvalidRequest({_FIELD: _position(before) + reason}) from None
    except yaml.MarkedYAMLError as error:
        raise InvalidRequest({_FIELD: explain(error, text)}) from None
    except UnicodeDecodeError:
        # libyaml unescapes a tag's percent-encoding without looking at what comes out.
        raise InvalidRequest({_FIELD: "holds a tag; tags are not taken"}) from None


def dump(values: list[Any] | dict[str, Any]) -> str:
    """Return values from `load_mapping` as YAML text: block style, keys in the order given.

    The same values give the same text, and readers of YAML 1.1 and YAML 1.2 read the same values back.
    """
    # Without a line width, because emitters differ in how they fold long texts.
    return str(yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1 << 30))


def _decoded(content: bytes) -> str:
    """Return the text without a byte order mark; raise a fault that names the encoding if it is not UTF-8."""
    encoding = next((name for mark, name in _OTHER_ENCODINGS if content.startswith(mark)), None)
    # UTF-16 without a mark: a document begins with an ASCII character, so one of two bytes is 0 (YAML 1.2.2, section
    # 5.2).
    if encoding is None and content[:2].count(0) == 1:
        encoding = "UTF-16"
    if encoding is not None:
        raise InvalidRequest({_FIELD: f"is in {encoding}; {_SAVE_AS_UTF_8} (in Notepad: Save as, Encoding)"})
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # `error.object` and the position do not include the byte order mark.
        read = error.object
        byte = read[error.start : error.start + 1]
        meant = byte.decode("cp1252", errors="ignore")
        hint = f"; in Latin-1 or Windows-1252 it is {meant}" if meant.isprintable() and meant else ""
        place = _position(read[: error.start].decode())
        raise InvalidRequest(
            {_FIELD: f"{place}the byte 0x{byte.hex().upper()} is not UTF-8{hint}; {_SAVE_AS_UTF_8}"}
        ) from None


def _misread(character: str) -> str:
    code = f"U+{ord(character):04X}"
    cause = (
        f"a byte order mark ({code}) may be at the very start only"
        if character == "\ufeff"
        else f"{code} breaks the line for some readers of YAML and not for others"
    )
    return f"{cause}; remove it, or write {_MISREAD[character]} in double quotes"


def _position(before: str) -> str:
    """Return the beginning of a fault's text: the line and column after `before`."""
    lines = _LINE_BREAK.split(before)
    return f"line {len(lines)}, column {len(lines[-1]) + 1}: "


class _Refused(Exception):
    """The YAML is valid, but this module does not accept it. `mark` is the position, or None."""

    def __init__(self, mark: Any, reason: str) -> None:
        super().__init__(reason)
        self.mark = mark
        self.reason = reason


class _Builder:
    """Builds plain values from parser events, in a loop instead of by recursion."""

    def __init__(self, as_written: Collection[str], on_uncertain: OnUncertain | None) -> None:
        self._as_written = as_written
        self._on_uncertain = on_uncertain
        self._root: dict[str, Any] | None = None
        self._open: list[dict[str, Any] | list[Any]] = []
        # For every open collection, the key whose value comes next; None in lists, and where a key comes next.
        self._keys: list[str | None] = []
        # For every open collection, the key that it is the value of; None in lists, and for the document.
        self._above: list[str | None] = []
        self._nodes = 0

    def build(self, events: Iterator[yaml.Event]) -> dict[str, Any]:
        for event in events:
            if isinstance(event, yaml.NodeEvent):
                self._check_node(event)
            match event:
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.CollectionStartEvent():
                    self._begin(event)
                case yaml.CollectionEndEvent():
                    self._open.pop()
                    self._keys.pop()
                    self._above.pop()
                case yaml.DocumentStartEvent() if self._root is not None:
                    _refuse(
                        event,
                        "a second document begins here; pack.yaml is one, so remove this line or what follows it",
                    )
        if self._root is None:
            raise InvalidRequest({_FIELD: "is empty; it needs at least a name"})
        return self._root

    def _check_node(self, event: yaml.NodeEvent) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            _refuse(event, f"holds more than {MAX_NODES} values")
        if event.anchor is not None:
            _refuse(event, "anchors and aliases are not taken; write the value out")

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        _refuse_tag(event)
        if not self._open:
            _refuse(event, _NO_MAPPING)
        values = self._open[-1]
        if isinstance(values, dict) and self._keys[-1] is None:
            self._keys[-1] = _new_key(event, taken=values)
        else:
            self._place(self._value_of(event), event)

    def _value_of(self, event: yaml.ScalarEvent) -> str | bool | float | None:
        try:
            return _value_of(event, as_written=self._is_as_written())
        except _Refused:
            if self._on_uncertain is None:
                raise
            self._on_uncertain(".".join(key for key in (*self._above, self._keys[-1]) if key is not None))
            return str(event.value)

    def _is_as_written(self) -> bool:
        return len(self._open) == 1 and self._keys[-1] in self._as_written

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        _refuse_tag(event)
        if len(self._open) == MAX_DEPTH:
            _refuse(event, f"is nested deeper than {MAX_DEPTH} levels")
        values: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._above.append(self._keys[-1] if self._keys else None)
        if self._open:
            self._place(values, event)
        elif isinstance(values, dict):
            self._root = values
        else:
            _refuse(event, _NO_MAPPING)
        self._open.append(values)
        self._keys.append(None)

    def _place(self, value: Any, event: yaml.NodeEvent) -> None:
        values, key = self._open[-1], self._keys[-1]
        if isinstance(values, list):
            values.append(value)
        elif key is not None:
            values[key] = value
            self._keys[-1] = None
        else:
            _refuse(event, "a key must be text, not a mapping or a list")


def _differs(text: str) -> bool:
    """Return whether some readers, but not all, take this plain scalar for text."""
    tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return bool(tag != _TEXT_TAG)


def _new_key(event: yaml.ScalarEvent, *, taken: dict[str, Any]) -> str:
    key = event.value
    if _is_plain(event) and (key in _CONSTANTS or _differs(key)):
        _refuse(event, f"the key {_shown(key)} is not text to every reader of YAML; put it in quotes")
    if key in taken:
        _refuse(event, f"the key {_shown(key)} is given twice; keep one of them")
    return key


def _value_of(event: yaml.ScalarEvent, *, as_written: bool) -> str | bool | float | None:
    text = event.value
    if not _is_plain(event) or (as_written and _CONSTANTS.get(text, text) is not None):
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text):
        return _number(event)
    if _differs(text):
        _refuse(event, f"{_shown(text)} is not the same to every reader of YAML and JSON; put it in quotes")
    return text


def _number(event: yaml.ScalarEvent) -> float:
    text = event.value
    # Checked before the conversion, because Python's int() raises an error for thousands of digits.
    if len(text) > _LONGEST_NUMBER:
        _refuse(event, f"a number may have at most {_LONGEST_NUMBER} characters; put it in quotes")
    number = int(text, base=0) if _INTEGER.fullmatch(text) else float(text)
    if isinstance(number, int) and number not in _INT64:
        _refuse(event, "this number does not fit 64 bits; put it in quotes")
    if not math.isfinite(number):
        _refuse(event, "this number is too large; put it in quotes")
    return number


def _is_plain(event: yaml.ScalarEvent) -> bool:
    return event.implicit[0]


def _refuse_tag(event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
    if event.tag is not None:
        _refuse(event, "tags are not taken; write the value without one, or in quotes")


def _refuse(event: yaml.Event, reason: str) -> NoReturn:
    raise _Refused(event.start_mark, reason)


def _shown(text: str) -> str:
    """Return `text` for use in a message: in quotes, with escapes, and shortened."""
    return repr(text if len(text) <= _MAX_ECHO else f"{text[:_MAX_ECHO]}…")[: 2 * _MAX_ECHO]
