"""What the service answers about feeds, as types."""

from datetime import datetime
from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from api.models import Cursor, PackId
from packyard.packs.feed import FEED_ID


class Feed(TypedDict):
    """A read-only address of packs, without the address."""

    id: Annotated[str, Field(pattern=f"^{FEED_ID.pattern}$")]
    role_id: NotRequired[Annotated[str, Field(description="The role whose pins it serves.")]]
    pack_ids: NotRequired[
        Annotated[list[PackId], Field(description="The packs whose current revisions it serves.")]
    ]
    label: NotRequired[str]
    created_at: datetime
    created_by: Annotated[str, Field(description="Who made it, a principal.")]
    expires_at: NotRequired[
        Annotated[datetime, Field(description="From when on it is refused; absent for never.")]
    ]


class FeedState(Feed):
    """A feed, and what is known of its use."""

    last_seen: NotRequired[
        Annotated[str, Field(description="The last day on which it was used, in UTC. Kept for 30 days.")]
    ]
    networks: NotRequired[
        Annotated[
            int,
            Field(
                description="From how many networks it was used on that day: of IPv4 /24, of IPv6 /64. Up to 50."
            ),
        ]
    ]


class MadeFeed(Feed):
    """A new feed with its address."""

    url: Annotated[
        str,
        Field(
            description="The address, in this answer and nowhere else. Whoever has it may read what it serves."
        ),
    ]


class FeedPage(TypedDict):
    """A page of feeds, the newest first."""

    feeds: list[Feed]
    next_cursor: NotRequired[Cursor]


MODELS = (FeedState, MadeFeed, FeedPage)
