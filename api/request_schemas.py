"""JSON Schema of what requests hold, made of the descriptions that the readers of requests check by (decision 74)."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, Final

import packyard.http
from api.operation import Schema
from packyard.http.fields import Body, Field

# Words of JSON Schema, by the attributes of a field that say the same.
_WORDS: Final = {
    "min_length": "minLength",
    "max_length": "maxLength",
    "minimum": "minimum",
    "maximum": "maximum",
    "default": "default",
    "min_items": "minItems",
    "max_items": "maxItems",
}


def bodies() -> Iterator[Body]:
    """Yield every body that the service's readers of requests describe."""
    for module in pkgutil.iter_modules(packyard.http.__path__, "packyard.http."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Body):
                yield value


def body_schema(body: Body) -> Schema:
    """Return the schema of a body. It has no field but those described, since a reader refuses all others by name."""
    schema: Schema = {
        "type": "object",
        "description": body.description,
        "properties": {field.name: field_schema(field) for field in body.fields},
        "additionalProperties": False,
    }
    required = [field.name for field in body.fields if field.required]
    if required:
        schema["required"] = required
    if body.exclusive:
        schema["not"] = {"required": list(body.exclusive)}
    if body.one_of:
        schema["oneOf"] = [{"required": [name]} for name in body.one_of]
    if body.needs:
        schema["dependentRequired"] = {name: [other] for name, other in body.needs}
    if body.min_fields:
        schema["minProperties"] = body.min_fields
    if any(field.kind == "file" for field in body.fields):
        # A form has a part for each item of a list, so none for an empty one.
        for lists in (field.name for field in body.fields if field.kind == "array"):
            schema["properties"][lists]["minItems"] = 1
    return schema


def field_schema(field: Field, *, described: bool = True) -> Schema:
    """Return the schema of a field.

    Args:
        field: The field.
        described: Whether the schema has the description. A parameter has it outside of its schema.
    """
    schema: Schema = _values(field) if field.values is not None else _type(field)
    if described and field.description:
        schema["description"] = field.description
    return schema


def _values(field: Field) -> Schema:
    if isinstance(field.values, type):
        return {"$ref": f"#/components/schemas/{field.values.__name__}"}
    return {"type": field.kind, "enum": list(field.values or ())}


def _object(field: Field) -> Schema:
    if field.each is not None:
        schema: Schema = {"additionalProperties": field_schema(field.each)}
        if field.pattern is not None:
            schema["propertyNames"] = {"pattern": f"^{field.pattern}$"}
        if field.max_items is not None:
            schema["maxProperties"] = field.max_items
        return schema
    return {
        "properties": {inner.name: field_schema(inner) for inner in field.fields},
        "required": [inner.name for inner in field.fields if inner.required],
        "additionalProperties": False,
    }


def _type(field: Field) -> Schema:
    if field.kind == "file":
        return {"contentMediaType": "application/gzip"}
    schema: Schema = {"type": [field.kind, "null"] if field.nullable else field.kind}
    if field.kind == "object":
        schema |= _object(field)
    else:
        bounds: dict[str, Any] = field._asdict()
        schema |= {word: bounds[name] for name, word in _WORDS.items() if bounds[name] is not None}
        if field.pattern is not None:
            schema["pattern"] = f"^{field.pattern}$"
    if field.items is not None:
        schema |= {"items": field_schema(field.items), "uniqueItems": True}
    elif field.example is not None:
        schema["examples"] = [field.example]
    return schema
