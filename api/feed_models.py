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


class LeftOutPack(TypedDict):
    """A pack that a door does not serve."""

    pack_id: str
    owner: NotRequired[Annotated[str, Field(description="The slug of its organisation.")]]
    name: NotRequired[str]
    reason: Annotated[str, Field(description="Why, in words.")]


class DoorState(TypedDict):
    """What one door serves."""

    serves: Annotated[list[str], Field(description="The ids of packs.")]
    leaves_out: list[LeftOutPack]


class FeedDoors(TypedDict):
    """What the doors serve for whose clients some packs are unfit."""

    agent_skills: DoorState
    marketplace: DoorState
    clawhub: DoorState
    mcp: DoorState
    skill_artifact: Annotated[
        DoorState, Field(description="What is at the distribution door under the tag `skill-<tag>`.")
    ]


class FeedState(Feed):
    """A feed, what is known of its use, and what its doors serve."""

    doors: NotRequired[FeedDoors]
    preparing: NotRequired[
        Annotated[list[str], Field(description="Packs whose files are still being prepared, by their ids.")]
    ]
    role_gone: NotRequired[
        Annotated[bool, Field(description="Its role was deleted, so its address answers 404.")]
    ]

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
