"""Parsing untrusted JSON objects. Texts that two JSON parsers could read differently are refused."""

import json
from typing import Any, NoReturn


def parse_object(text: bytes) -> dict[str, Any]:
    """Return the JSON object in a text.

    A repeated name is refused, because the issuer's own checks may have read the other value (RFC 8725, section 2.4;
    RFC 8259, section 4).

    Raises:
        ValueError: Not UTF-8, not JSON, nested too deeply, NaN or an infinite number, a repeated name, or not an
            object.
    """
    try:
        parsed = json.loads(text.decode(), object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    if not isinstance(parsed, dict):
        raise ValueError("is not a JSON object")  # noqa: TRY004 - a bad value, whatever its type
    return parsed


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(members)
    if len(unique) != len(members):
        raise ValueError("gives a name twice")
    return unique


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"holds {constant}, which is not JSON")
