"""What the operations on API keys answer, as types; see `api.models`."""

from datetime import datetime
from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

from api.models import Cursor, Scope, Slug
from packyard.tenants.api_key import KEY_ID


class Key(TypedDict):
    """An API key, without its secret."""

    id: Annotated[str, Field(pattern=f"^{KEY_ID.pattern}$", description="The SHA-256 of the secret, in hex.")]
    principal: Annotated[str, Field(description="Who acts with it, as histories name it.")]
    prefix: NotRequired[
        Annotated[
            str, Field(description="How its secret begins; absent for a key that the operator has issued.")
        ]
    ]
    label: str
    scopes: Annotated[list[Scope], Field(description="What it may do; empty for a key that only reads.")]
    pack_name: NotRequired[Annotated[Slug, Field(description="The only pack that it may touch.")]]
    created_at: datetime
    created_by: NotRequired[
        Annotated[str, Field(description="Who made it, a principal; absent for the operator.")]
    ]
    expires_at: NotRequired[
        Annotated[datetime, Field(description="From when on it is refused; absent for never.")]
    ]
    revoked_at: NotRequired[datetime]
    revoked_by: NotRequired[
        Annotated[str, Field(description="Who revoked it, a principal; absent for the operator.")]
    ]


class IssuedKey(Key):
    """A new API key. Its secret is shown this once."""

    key: Annotated[
        str, Field(pattern="^sk_[A-Za-z0-9_-]{43}$", description="The secret: what requests send.")
    ]


class KeyPage(TypedDict):
    """A page of keys, the newest first."""

    keys: list[Key]
    next_cursor: NotRequired[Cursor]


MODELS: tuple[Any, ...] = (
    Key,
    IssuedKey,
    KeyPage,
)
