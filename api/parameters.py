"""Parameters that several operations of the API share."""

from typing import Final

from api.operation import Parameter
from packyard.http.page_limit import DEFAULT_LIMIT, MAX_LIMIT

_TAG: Final = r'(W/)?"[!#-~]*"'
_ENTITY_TAGS: Final = rf"^(\*|{_TAG}(, *{_TAG})*)$"
IF_MATCH: Final = Parameter(
    name="If-Match",
    place="header",
    schema={"type": "string", "pattern": _ENTITY_TAGS, "examples": ['"3"']},
    description="Only if it is at one of these revisions: entity tags as in ETag, quotes included, or `*`.",
)
CREATE_ONLY: Final = Parameter(
    name="If-None-Match",
    place="header",
    schema={"type": "string", "enum": ["*"]},
    description="`*`: only if nothing is there yet.",
)
IDEMPOTENCY_KEY: Final = Parameter(
    name="Idempotency-Key",
    place="header",
    schema={"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
    description="The same key and request within 24 hours repeat the first answer: what was done, or a refusal of what "
    "the request itself holds.",
)
LIMIT: Final = Parameter(
    name="limit",
    schema={"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    description="The most to answer with.",
)
CURSOR: Final = Parameter(
    name="cursor", schema={"type": "string"}, description="The previous page's `next_cursor`."
)
