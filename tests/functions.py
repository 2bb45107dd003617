"""Which function carries out an operation of the OpenAPI document. Methods of one path share a function."""

from typing import Final

from api.operations import OPERATIONS

# The operations of `api_docs` are named by their paths.
_FUNCTIONS: Final = {
    "openapi": "api_docs",
    "docs": "api_docs",
    "console_asset": "console",
    **{operation.name or operation.function: operation.function for operation in OPERATIONS},
}


def function_of(operation_id: str) -> str:
    """Return the folder in `functions/` of an operation, by its name in the document."""
    return _FUNCTIONS.get(operation_id, operation_id)
