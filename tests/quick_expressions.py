"""moto's DynamoDB reads each expression once, and not once or twice for each request: what it answers stays the same.

Reading an expression gives the same each time, and nothing changes what it gives: moto evaluates a condition on an
item, and copies an update before it works on it. Before it works, it walks ten times through the update, and in two of
the walks again through what is below each node. Here it looks once at the whole and walks twice. It also weighs a whole
item for each attribute that it puts into a new one. Here it weighs the item once.
"""

import copy
import json
from functools import lru_cache
from typing import Any, Final

from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.parsing import ast_nodes, expressions
from moto.dynamodb.parsing.validators import UpdateExpressionValidator

_MOST_BYTES: Final = 405_000
_MOST_CONDITIONS: Final = 4_096

_UPDATE: Final[Any] = vars(expressions)["UpdateExpressionParser"]  # moto states no types here
_NODE: Final[Any] = vars(ast_nodes)["Node"]
_LOOKS_AHEAD: Final[Any] = vars(ast_nodes)["DepthFirstTraverser"].pre_processing_of_child
# By the classes of processors and of a node: which of the processors take it, by their places, and as which class.
_TAKEN: Final[dict[tuple[Any, ...], dict[int, Any]]] = {}
_parse_condition: Final = ConditionExpressionParser.parse
# By the expression with its names and values: the condition, and the names and values that it uses.
_CONDITIONS: Final[dict[tuple[str, str, str], tuple[Any, list[str], list[str]]]] = {}


def speed_up() -> None:
    """Put quicker ways in the place of moto's, in this process."""
    ConditionExpressionParser.parse = _condition  # type: ignore[method-assign]
    _UPDATE.make = lru_cache(maxsize=1_024)(_UPDATE.make)
    UpdateExpressionValidator.validate = _validate  # type: ignore[assignment,method-assign]
    _NODE.__deepcopy__ = _copy_of_node
    Item.__init__ = _new_item  # type: ignore[method-assign]


def _condition(self: ConditionExpressionParser) -> Any:
    expression = self.condition_expression
    if not expression:
        return _parse_condition(self)
    names, values = self.expression_attribute_names, self.expression_attribute_values
    key = expression, json.dumps(names), json.dumps(values)
    if key not in _CONDITIONS:
        condition = _parse_condition(self)
        if len(_CONDITIONS) >= _MOST_CONDITIONS:
            _CONDITIONS.clear()
        _CONDITIONS[key] = condition, self.expr_attr_names_found[:], self.expr_attr_values_found[:]
        return condition
    condition, names_found, values_found = _CONDITIONS[key]
    self.expr_attr_names_found += names_found
    self.expr_attr_values_found += values_found
    return condition


def _validate(self: UpdateExpressionValidator) -> Any:
    clauses, paths, *resolving = self.processors
    root = self.node_to_validate
    # What they find in the whole is all that they would find in its parts.
    clauses.verify_action_counts(root)
    paths.check_for_overlapping_paths(root)
    # `if_not_exists` takes away what is missing, so what is missing is looked for when functions have their results.
    root = _Walk(resolving[:4]).through(root)
    return _Walk(resolving[4:]).through(root)


class _Walk:
    """Processes the nodes of an expression, those below a node before it, each by all processors in their order."""

    def __init__(self, processors: list[Any]) -> None:
        self._maps = [processor._processing_map() for processor in processors]  # noqa: SLF001 - what is replaced
        self._kinds = tuple(map(type, processors))
        ahead = (processor.pre_processing_of_child for processor in processors)
        self._ahead = [look for look in ahead if look.__func__ is not _LOOKS_AHEAD]

    def through(self, node: Any, place: int = -1) -> Any:
        """Process a node and what is below it, and return what is in its place then."""
        parent = node.parent
        for number, child in enumerate(node.children or ()):
            for look in self._ahead:
                look(node, number)
            if isinstance(child, _NODE):
                self.through(child, number)
        made = self._processed(node) if self._taken(type(node)) else node
        if made is not node:
            made.parent = parent
            if parent:
                parent.children[place] = made
        return made

    def _processed(self, node: Any) -> Any:
        for number, by_kind in enumerate(self._maps):
            # The one before may have put a node of another class in its place.
            if (known := self._taken(type(node)).get(number)) is not None:
                node = by_kind[known](node)
        return node

    def _taken(self, kind: type) -> dict[int, Any]:
        if (self._kinds, kind) not in _TAKEN:
            _TAKEN[self._kinds, kind] = {
                number: known
                for number, by_kind in enumerate(self._maps)
                for known in reversed(by_kind)
                if issubclass(kind, known)
            }
        return _TAKEN[self._kinds, kind]


def _copy_of_node(self: Any, memo: dict[int, Any]) -> Any:
    made = object.__new__(type(self))
    vars(made).update(vars(self))
    made.parent = None
    if self.children is not None:
        made.children = [copy.deepcopy(child, memo) for child in self.children]
        for child in made.children:
            if isinstance(child, _NODE):
                child.parent = made
    return made


def _new_item(self: Item, hash_key: DynamoType, range_key: DynamoType | None, attrs: dict[str, Any]) -> None:
    self.hash_key = hash_key
    self.range_key = range_key
    self.attrs = LimitedSizeDict()
    for name, value in attrs.items():
        dict.__setitem__(self.attrs, name, DynamoType(value))
    if self.size() > _MOST_BYTES:
        raise ItemSizeTooLarge
