"""YAML read with suspicion, and written so that every reader agrees (API contract, section 3, `pack.yaml`).

PyYAML's loaders compose a tree by recursion, follow aliases, apply tags and let a repeated key win silently.
None of that is wanted of a stranger's file, so this module takes the parser's *events* in one loop and builds
plain values:

- No tags. No anchors and aliases either: a few lines of those can mean millions of values.
- Keys are text, and none repeats; `<<` merges nothing.
- Values are what JSON can say: text, null, booleans, 64-bit integers, finite floats, lists and mappings.
- A plain scalar that YAML 1.1 and YAML 1.2 take for different things (`yes`, `0644`, `1:30`, `1_000`, `1e3`,
  `2024-01-01`) is refused. Put in quotes, it is text to everyone.

The parser is libyaml's: it takes a tenth of the time of PyYAML's own, and refuses the lone surrogates that
the other lets through. Its time grows with the square of the depth of flow collections (a minute for 256 KiB
of `[`), so the bound on depth is also what keeps it fast.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

import yaml
from yaml.reader import ReaderError

from packyard.errors import InvalidRequest

MAX_DEPTH: Final = 32
MAX_NODES: Final = 20_000

_FIELD: Final = "pack.yaml"
_MAX_ECHO: Final = 40
_LONGEST_NUMBER: Final = 40
_INT64: Final = range(-(2**63), 2**63)

# The scalars that both versions of YAML take for the same value.
_CONSTANTS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"(?:[-+]?[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?")
# Numbers of the core schema (YAML 1.2.2, section 10.3.2); PyYAML, a reader of YAML 1.1, misses some of them.
_CORE_NUMBER: Final = re.compile(
    r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+)\Z"
)
_TEXT_TAG: Final = "tag:yaml.org,2002:str"


class _Resolver(yaml.resolver.Resolver):
    """Knows what a plain scalar is to YAML 1.1 or, failing that, to YAML 1.2."""


class _Dumper(yaml.CSafeDumper):
    """Puts in quotes what any reader would not take for text."""


for _class in (_Resolver, _Dumper):
    _class.add_implicit_resolver("tag:yaml.org,2002:float", _CORE_NUMBER, list("-+.0123456789"))
_RESOLVER: Final = _Resolver()


def load_mapping(content: bytes) -> dict[str, Any]:
    """Return the one mapping that `content` holds, with text keys and values that JSON can say.

    Args:
        content: UTF-8, with or without a byte order mark; the caller has bounded its size.

    Raises:
        InvalidRequest: On `pack.yaml`, with line and column: not UTF-8, not YAML, not exactly one mapping,
            nested deeper than 32, of more than 20,000 values, or holding what the module's docstring refuses.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidRequest({_FIELD: f"line {line}: is not UTF-8"}) from None
    try:
        return _Builder().build(yaml.parse(text, Loader=yaml.CSafeLoader))
    except ReaderError as error:
        # libyaml states the position in bytes of UTF-8.
        line = text.encode().count(b"\n", 0, error.position) + 1
        raise InvalidRequest({_FIELD: f"line {line}: holds a character that YAML does not allow"}) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InvalidRequest({_FIELD: f"{_place_of(mark)}is not YAML: {error.problem}"}) from None
    except UnicodeDecodeError:
        # libyaml unescapes a tag's percent-encoding without looking at what comes out.
        raise InvalidRequest({_FIELD: "holds a tag; tags are not taken"}) from None


def dump(values: list[Any] | dict[str, Any]) -> str:
    """Return what `load_mapping` built, or part of it, as YAML text: block style, keys in the order given.

    The same values give the same text, and both YAML 1.1 and YAML 1.2 read it back to the same values.
    """
    # Lines as long as they come: folding a text for width is where emitters differ.
    return str(yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1 << 30))


class _Builder:
    """Builds plain values from parser events, in one loop, whatever the depth."""

    def __init__(self) -> None:
        self._root: dict[str, Any] | None = None
        self._open: list[dict[str, Any] | list[Any]] = []
        # For every open collection, the key that waits for its value.
        self._keys: list[str | None] = []
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
                case yaml.DocumentStartEvent() if self._root is not None:
                    _refuse(event, "a second document begins here; there must be one")
        if self._root is None:
            raise InvalidRequest({_FIELD: "is empty"})
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
            _refuse(event, "must be a mapping")
        values = self._open[-1]
        if isinstance(values, dict) and self._keys[-1] is None:
            self._keys[-1] = _new_key(event, taken=values)
        else:
            self._place(_value_of(event), event)

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        _refuse_tag(event)
        if len(self._open) == MAX_DEPTH:
            _refuse(event, f"is nested deeper than {MAX_DEPTH} levels")
        values: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        if self._open:
            self._place(values, event)
        elif isinstance(values, dict):
            self._root = values
        else:
            _refuse(event, "must be a mapping")
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


def _new_key(event: yaml.ScalarEvent, *, taken: dict[str, Any]) -> str:
    key = event.value
    # `on` and `no` are plainly text where a key belongs, though YAML 1.1 would have them be booleans.
    if _is_plain(event) and (key == "<<" or key in _CONSTANTS or _CORE_NUMBER.match(key)):
        _refuse(event, f"the key {_shown(key)} is not text; put it in quotes")
    if key in taken:
        _refuse(event, f"the key {_shown(key)} is given twice")
    return key


def _value_of(event: yaml.ScalarEvent) -> str | bool | float | None:
    text = event.value
    if not _is_plain(event):
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text):
        return _number(event)
    tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    if tag != _TEXT_TAG:
        _refuse(event, f"{_shown(text)} is not the same to every reader of YAML and JSON; put it in quotes")
    return text


def _number(event: yaml.ScalarEvent) -> float:
    text = event.value
    # Checked before it is converted: Python refuses to make an int of thousands of digits.
    if len(text) > _LONGEST_NUMBER:
        _refuse(event, f"a number may have {_LONGEST_NUMBER} characters; put it in quotes")
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
        _refuse(event, "tags are not taken")


def _refuse(event: yaml.Event, reason: str) -> NoReturn:
    raise InvalidRequest({_FIELD: _place_of(event.start_mark) + reason})


def _place_of(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""


def _shown(text: str) -> str:
    """Return `text` fit for a message: in quotes, escaped and short."""
    return repr(text if len(text) <= _MAX_ECHO else f"{text[:_MAX_ECHO]}…")[: 2 * _MAX_ECHO]
