"""What the service answers about trusted publishers, as types."""

from datetime import datetime
from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from api.models import Cursor, Scope, Slug
from packyard.tenants.publisher import PUBLISHER_ID


class TrustedPublisher(TypedDict):
    """Whose CI may publish a pack without a stored secret."""

    id: Annotated[str, Field(pattern=f"^{PUBLISHER_ID.pattern}$")]
    pack_name: Annotated[Slug, Field(description="The only pack that it publishes.")]
    issuer: Annotated[str, Field(description="`github`, `gitlab`, `aws`, or the URL of another issuer.")]
    issuer_url: NotRequired[
        Annotated[str, Field(description="What `iss` must be, where the issuer is not everybody's.")]
    ]
    claims: Annotated[dict[str, str], Field(description="What a token must say.")]
    pinned: NotRequired[
        Annotated[
            dict[str, str],
            Field(
                description="The ids that the first token has brought. From then on they count, and names do not."
            ),
        ]
    ]
    events: NotRequired[
        Annotated[
            list[str], Field(description="The only events that may publish; absent for the usual ones.")
        ]
    ]
    created_at: datetime
    created_by: Annotated[str, Field(description="Who added it, a principal.")]
    expires_at: NotRequired[
        Annotated[
            datetime,
            Field(description="From when on it takes no tokens: the end of the API key that added it."),
        ]
    ]


class TrustedPublisherPage(TypedDict):
    """A page of trusted publishers, by pack."""

    publishers: list[TrustedPublisher]
    next_cursor: NotRequired[Cursor]


class RemovedPublisher(TypedDict):
    """A trusted publisher that is gone."""

    status: Literal["deleted"]


class ExchangedKey(TypedDict):
    """A key for a run of CI."""

    key: Annotated[
        str, Field(pattern="^sk_[A-Za-z0-9_-]{43}$", description="The secret: what requests send.")
    ]
    expires_at: Annotated[datetime, Field(description="From when on it is refused: in 15 minutes at most.")]
    pack_name: Annotated[Slug, Field(description="The only pack that it may touch.")]
    scopes: list[Scope]


MODELS = (TrustedPublisher, TrustedPublisherPage, RemovedPublisher, ExchangedKey)
