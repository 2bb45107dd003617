"""What the service answers about usage, as types; see `api.models`."""

from datetime import datetime
from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

_Limit = Annotated[int, Field(ge=0, description="The most that may be used; absent where there is no limit.")]


class Used(TypedDict):
    """How much of something is used."""

    used: Annotated[int, Field(ge=0)]
    limit: NotRequired[_Limit]


class UsedToday(TypedDict):
    """How much is used of what is counted by the day."""

    used: Annotated[int, Field(ge=0, description="Since the last midnight, UTC.")]
    limit: NotRequired[_Limit]
    resets_at: Annotated[datetime, Field(description="When the count begins anew: the next midnight, UTC.")]


class Usage(TypedDict):
    """What the organisation uses, and what it may use."""

    packs: Annotated[Used, Field(description="Packs that are not deleted.")]
    stored_bytes: Annotated[
        Used,
        Field(
            description="Layers and configs of the packs' images in the service's registry, compressed. A layer that "
            "revisions of a pack share counts once. Images that you registered by reference count nothing."
        ),
    ]
    publishes_a_day: Annotated[
        UsedToday, Field(description="New images of packs: archives, changes of files, clones, references.")
    ]
    builds_at_once: Annotated[Used, Field(description="Archives that are being built now.")]
