"""One hostile YAML document, read into what JSON can say (API contract, section 3, `pack.yaml`).

PyYAML's loaders compose a tree by recursion, follow aliases, apply tags and let a repeated key win silently. None of
that is wanted, so this module reads the parser's *events* in one loop and builds plain values itself:

- no tags, and no anchors or aliases: a few lines of those can mean millions of values, and a manifest needs none;
- keys are text, and none repeats;
- scalars are text, null, booleans, 64-bit integers and finite floats. A plain scalar that YAML 1.1 and YAML 1.2 read
  differently (`yes`, `0644`, `1:30`, `1_000`, `2024-01-01`, `1e3`) is refused: quoted, every reader agrees on it.

The parser is libyaml's. PyYAML's own takes about ten times as long, and lets lone surrogates through. libyaml spends
time that grows with the square of the depth of flow collections; the bound on depth is also what keeps it fast.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)
from yaml.reader import ReaderError

from packyard.errors import InvalidRequest

MAX_DEPTH: Final = 32
MAX_NODES: Final = 20_000

_FIELD = "pack.yaml"
_ECHOED = 40
_CONSTANTS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*)([eE][-+][0-9]+)?")
# What is left of the core schema's numbers (YAML 1.2.2, section 10.3.2), all of which YAML 1.1 reads otherwise.
_YAML_1_2_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+")
_YAML_1_1 = yaml.resolver.Resolver()
_TEXT_TAG = "tag:yaml.org,2002:str"
_INT64 = range(-(2**63), 2**63)
_LONGEST_NUMBER = 40


def load_mapping(content: bytes) -> dict[str, Any]:
    """Return the one mapping that `content` holds: text keys; values that JSON can represent.

    Args:
        content: UTF-8, with or without a byte order mark; the caller has bounded its size.

    Raises:
        InvalidRequest: On `pack.yaml`, with line and column: not UTF-8, not YAML, not exactly one mapping, nested
            deeper than 32 or of more than 20,000 values, or holding what the module's docstring refuses.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidRequest({_FIELD: f"line {line}: is not UTF-8"}) from None
    try:
        return _Builder().build(yaml.parse(text, Loader=yaml.CSafeLoader))
    except ReaderError as error:
        # libyaml counts bytes of UTF-8 here.
        line = text.encode()[: error.position].count(b"\n") + 1
        raise InvalidRequest({_FIELD: f"line {line}: holds a control character"}) from None
    except yaml.MarkedYAMLError as error:
        raise InvalidRequest({_FIELD: _syntax_fault(error)}) from None


class _Builder:
    """Builds plain values from parser events, in one loop, whatever the depth."""

    def __init__(self) -> None:
        self._open: list[dict[str, Any] | list[Any]] = []
        self._keys: list[str | None] = []
        self._nodes = 0
        self._root: dict[str, Any] | None = None

    def build(self, events: Iterator[Event]) -> dict[str, Any]:
        for event in events:
            if isinstance(event, NodeEvent):
                self._nodes += 1
                _check_node(event, self._nodes)
            if isinstance(event, DocumentStartEvent) and self._root is not None:
                _refuse(event, "a second document begins here; there must be one")
            elif isinstance(event, CollectionStartEvent):
                self._begin(event)
            elif isinstance(event, CollectionEndEvent):
                self._open.pop()
                self._keys.pop()
            elif isinstance(event, ScalarEvent):
                self._scalar(event)
            elif isinstance(event, DocumentEndEvent) and self._root is None:
                _refuse(event, "must be a mapping")
        if self._root is None:
            raise InvalidRequest({_FIELD: "is empty"})
        return self._root

    def _begin(self, event: CollectionStartEvent) -> None:
        values: dict[str, Any] | list[Any] = {} if isinstance(event, MappingStartEvent) else []
        if len(self._open) == MAX_DEPTH:
            _refuse(event, f"is nested deeper than {MAX_DEPTH} levels")
        if self._open:
            self._place(values, event)
        elif isinstance(values, dict):
            self._root = values
        else:
            _refuse(event, "must be a mapping, not a list")
        self._open.append(values)
        self._keys.append(None)

    def _scalar(self, event: ScalarEvent) -> None:
        if not self._open:
            _refuse(event, "must be a mapping")
        elif isinstance(self._open[-1], dict) and self._keys[-1] is None:
            self._keys[-1] = _new_key(event, self._open[-1])
        else:
            self._place(_value_of(event), event)

    def _place(self, value: Any, event: Event) -> None:
        values, key = self._open[-1], self._keys[-1]
        if isinstance(values, list):
            values.append(value)
        elif key is None:
            _refuse(event, "a key must be text, not a mapping or a list")
        else:
            values[key] = value
            self._keys[-1] = None


def _check_node(event: NodeEvent, nodes: int) -> None:
    if isinstance(event, AliasEvent) or event.anchor is not None:
        _refuse(event, "anchors and aliases are not taken; write the value out")
    if isinstance(event, ScalarEvent | CollectionStartEvent) and event.tag is not None:
        _refuse(event, "tags are not taken")
    if nodes > MAX_NODES:
        _refuse(event, f"holds more than {MAX_NODES} values")


def _new_key(event: ScalarEvent, taken: dict[str, Any]) -> str:
    key = event.value
    # Words that only YAML 1.1 takes for something else (`on`, `no`) are plainly text when they are keys.
    if _is_plain(event) and (key == "<<" or key in _CONSTANTS or _YAML_1_2_NUMBER.fullmatch(key)):
        _refuse(event, f"the key {_shown(key)} is not text; put it in quotes")
    if key in taken:
        _refuse(event, f"the key {_shown(key)} is given twice")
    return str(key)


def _value_of(event: ScalarEvent) -> Any:
    text = event.value
    if not _is_plain(event):
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        if len(text) <= _LONGEST_NUMBER and int(text) in _INT64:
            return int(text)
        _refuse(event, "this number does not fit 64 bits; put it in quotes")
    if _FLOAT.fullmatch(text):
        # A number that overflows reads as infinity, which JSON cannot say.
        if len(text) <= _LONGEST_NUMBER and abs(float(text)) != float("inf"):
            return float(text)
        _refuse(event, "this number is too long or too large; put it in quotes")
    if _YAML_1_2_NUMBER.fullmatch(text) or _yaml_1_1_tag(text) != _TEXT_TAG:
        _refuse(event, f"{_shown(text)} means different things to different YAML readers; put it in quotes")
    return text


def _yaml_1_1_tag(text: str) -> str:
    return str(_YAML_1_1.resolve(yaml.ScalarNode, text, (True, False)))


def _is_plain(event: ScalarEvent) -> bool:
    return bool(event.implicit[0])


def _shown(text: str) -> str:
    """Return `text` fit for a message: escaped, in quotes, and short."""
    return repr(text if len(text) <= _ECHOED else f"{text[:_ECHOED]}…")[: 2 * _ECHOED]


def _refuse(event: Event, reason: str) -> NoReturn:
    mark = event.start_mark
    raise InvalidRequest({_FIELD: f"line {mark.line + 1}, column {mark.column + 1}: {reason}"})


def _syntax_fault(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{where}is not YAML: {error.problem or error.context}"[:200]
