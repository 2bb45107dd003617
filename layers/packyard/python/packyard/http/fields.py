"""What a request may hold, stated once: the readers of requests check by it, and the API's document is made of it.

A reader takes its names, its bounds and its examples from these descriptions, and `api` makes JSON Schema of them
(decision 74). They are named tuples, which a function that starts makes in less time than data classes.
"""

from enum import StrEnum
from typing import Any, Literal, NamedTuple


class Field(NamedTuple):
    """A field of a body, a part of a form, a parameter of a query, or a header.

    Attributes:
        name: The name in the request.
        kind: `file` is a part with a file's bytes; the others are JSON Schema's types. In queries and headers, it says
            what the text stands for.
        description: What it is for, in Markdown, for the document.
        required: Whether a request without it is refused.
        example: A value that is accepted. Refusals show it, and so does the document.
        pattern: A regular expression that the whole text matches; of an object with `each`, every name.
        min_length: Of a text, in characters.
        max_length: Of a text, in characters.
        minimum: Of a number.
        maximum: Of a number.
        default: The value that an absent field stands for.
        values: The only values, if there are few. The document calls an enumeration by its class's name.
        items: What a list holds.
        min_items: Of a list.
        max_items: Of a list, whose entries are unique, or of the names in an object with `each`.
        fields: What an object holds, if its names are known.
        each: What an object holds under every name, if its names are the client's.
        nullable: Whether null is taken too.
    """

    name: str
    kind: Literal["string", "integer", "boolean", "array", "object", "file"] = "string"
    description: str = ""
    required: bool = False
    example: Any = None
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    default: Any = None
    values: type[StrEnum] | tuple[str, ...] | None = None
    items: "Field | None" = None
    min_items: int | None = None
    max_items: int | None = None
    fields: "tuple[Field, ...]" = ()
    each: "Field | None" = None
    nullable: bool = False


class Body(NamedTuple):
    """What the body of a request may hold. It is a form when one of its fields is a file, and JSON otherwise.

    Attributes:
        name: What the document calls it.
        description: What it is, for the document.
        fields: In the order in which the document lists them.
        exclusive: Names of fields of which a request may give one.
        needs: Pairs of a field and of another one that it is given with.
        min_fields: How many fields a request gives at least.
        one_of: Names of fields of which a request gives exactly one.
    """

    name: str
    description: str
    fields: tuple[Field, ...]
    exclusive: tuple[str, ...] = ()
    needs: tuple[tuple[str, str], ...] = ()
    min_fields: int = 0
    one_of: tuple[str, ...] = ()
