"""The query string: an operation takes the parameters that it knows, each once, and refuses all others by name.

A parameter that is ignored does harm: `DELETE /packs/{id}?version=1` would delete more than was meant, and
`?dry_run=true` would write.
"""

from collections.abc import Collection
from typing import Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.suggestion import unknown_name

_SHOWN_NAMES: Final = 20
_SHOWN_CHARACTERS: Final = 64


def require_known(event: APIGatewayProxyEvent, known: Collection[str] = ()) -> None:
    """Check that a query string holds nothing but parameters that the operation takes, each at most once.

    Raises:
        InvalidRequest: Every parameter that is unknown or repeated, by name; of many, the first twenty.
    """
    given = event.multi_value_query_string_parameters
    # No more than are shown, since looking for what was meant takes time.
    unknown = sorted(name for name in given if name not in known)[:_SHOWN_NAMES]
    faults = {name: _unknown(name, known) for name in unknown}
    faults |= {
        name: f"is given {len(values)} times; it takes one value"
        for name, values in given.items()
        if name in known and len(values) > 1
    }
    if faults:
        shown = sorted(faults.items())[:_SHOWN_NAMES]
        raise InvalidRequest({name[:_SHOWN_CHARACTERS] or "query": reason for name, reason in shown})


def _unknown(name: str, known: Collection[str]) -> str:
    if not known:
        return "is not a query parameter of this operation, which takes none"
    return unknown_name(name, known, kind="a query parameter of this operation")
