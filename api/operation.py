"""What the document says of one operation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from packyard.http.fields import Body, Field
from packyard.tenants.caller import WRITE

JSON: Final = "application/json"
MULTIPART: Final = "multipart/form-data"
ANYTHING: Final = "*/*"

# Refusals of operations that take JSON, and of those that change a pack.
JSON_FAULTS: Final = ("payload_too_large", "unsupported_media_type")
CHANGED_MEANWHILE: Final = ("pack_deleting", "pack_modified", "precondition_failed")

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A successful answer.

    Attributes:
        description: When it is given.
        model: The name of its model, in `api.models` or beside it; None for none.
        media_type: Its content type; None without a body.
        example: A body.
        headers: Its own headers, with their descriptions by name.
        dry_run: Whether a dry run has the same status, and its own body.
        other: The name of another model that the body may have; None for none.
    """

    description: str
    model: str | None = None
    media_type: str | None = JSON
    example: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False
    other: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the API contract's table.

    Attributes:
        function: The folder in `functions/` that serves it.
        name: What names it in the document; the function's name by default. Of a function with several operations, each
            needs its own.
        path: With `{names}` of its parameters.
        tag: The heading that it is listed under.
        summary: What it does, in a few words.
        description: What a caller should know besides.
        query: The parameters that it takes in the query.
        headers: The headers that it reads, those of every operation apart.
        body: What its body may hold; None when it takes no fields.
        example: A body that is accepted.
        takes_bytes: Whether its body is a file, in bytes of any kind.
        answers: Its successes, by status.
        refusals: The codes of its own refusals, without those of every operation.
        signed_in: Whether it takes a credential.
        writes: Whether it changes something, and so needs a scope.
        scope: The scope that it needs if it writes. A read needs none with the default, and any other one.
    """

    function: str
    name: str | None = None
    method: Literal["get", "post", "put", "patch", "delete"]
    path: str
    tag: str
    summary: str
    description: str = ""
    query: Sequence[Field] = ()
    headers: Sequence[Field] = ()
    body: Body | None = None
    example: Mapping[str, Any] | None = None
    takes_bytes: bool = False
    answers: Mapping[int, Answer]
    refusals: Sequence[str] = ()
    signed_in: bool = True
    writes: bool = False
    scope: str = WRITE
