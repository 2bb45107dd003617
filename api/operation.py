"""What the document says of one operation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from packyard.http.fields import Body, Field

JSON: Final = "application/json"
MULTIPART: Final = "multipart/form-data"
ANYTHING: Final = "*/*"

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a success carries.

    Attributes:
        description: When it is given.
        model: The name of its model in `api.models`; None for none.
        media_type: Its content type; None for no body.
        example: What it may look like.
        headers: Headers of its own: names and what they say.
    """

    description: str
    model: str | None = None
    media_type: str | None = JSON
    example: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the API contract's table.

    Attributes:
        function: The folder in `functions/` that serves it.
        path: With `{names}` for what varies.
        tag: Under which heading it stands.
        summary: What it does, in a few words.
        description: What a caller should know besides.
        query: The parameters that it takes in the query.
        headers: The headers that it reads, those of every operation apart.
        body: What its body may hold; None when it takes no fields.
        example: A body that is accepted.
        takes_bytes: Whether its body is a file, in bytes of any kind.
        answers: Its successes, by status.
        refusals: The codes of its own refusals; those of every operation come on top.
        signed_in: Whether it takes a credential.
        writes: Whether it needs the scope `caps:write`.
    """

    function: str
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
