"""Checking the names in a query: an operation takes its parameters, each once, and refuses all others by name.

Ignoring a parameter would do harm: `DELETE /packs/{id}?version=1` would delete the whole pack, and `?dry_run=true`
would write.
"""

from collections.abc import Collection, Sequence
from typing import Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.fields import Field
from packyard.http.misnamed import unknown_parameter
from packyard.http.named_faults import first_names, refusal_of_names

_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_FLAGS: Final = {"true": True, "false": False}


def require_known(event: APIGatewayProxyEvent, parameters: Sequence[Field] = ()) -> None:
    """Check that a query string holds nothing but parameters that the operation takes, each at most once.

    Args:
        event: The gateway's event.
        parameters: What the operation takes.

    Raises:
        InvalidRequest: Every parameter that is unknown or repeated, by name; of many, the first twenty.
    """
    known = [parameter.name for parameter in parameters]
    given = event.multi_value_query_string_parameters
    unknown = first_names(name for name in given if name not in known)
    faults = {name: _unknown(name, known, event.http_method) for name in unknown}
    faults |= {
        name: f"is given {len(values)} times; it takes one value"
        for name, values in given.items()
        if name in known and len(values) > 1
    }
    if faults:
        raise refusal_of_names(faults, unnamed="query")


def read_flag(event: APIGatewayProxyEvent, flag: Field) -> bool:
    """Return whether a parameter is true; false if it is not given.

    Raises:
        InvalidRequest: It is neither true nor false. A value that is misread would do what was not wanted.
    """
    text = (event.query_string_parameters or {}).get(flag.name, "false")
    if text not in _FLAGS:
        raise InvalidRequest({flag.name: "must be true or false"})
    return _FLAGS[text]


def _unknown(name: str, known: Collection[str], method: str) -> str:
    if known:
        return unknown_parameter(name, known)
    body = "; its fields go into the body" if method in _WITH_BODY else ""
    return f"is not a query parameter of this operation, which takes none{body}"
