"""What the service answers about events, as types; see `api.models`."""

from datetime import datetime
from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

from packyard.packs.event import EVENT_ID, MAX_DATA_BYTES, TRUNCATED, EventType
from packyard.packs.pack import PACK_ID
from packyard.packs.role import ROLE_ID

_TYPES = ", ".join(f"`{kind}`" for kind in EventType)


class Event(TypedDict):
    """An accepted write of the organisation."""

    id: Annotated[
        str, Field(pattern=f"^{EVENT_ID.pattern}$", description="A ULID. Its time is that of the write.")
    ]
    type: Annotated[str, Field(description=f"One of {_TYPES}. Later releases may add others.")]
    at: datetime
    actor: Annotated[
        str, Field(description="Who did it: `key:…`, `user:…`, `operator`, `operator:…` or `follow`.")
    ]
    request_id: Annotated[
        str,
        Field(description="The request that asked for it, as in its `X-Request-Id`; the logs have it too."),
    ]
    pack_id: NotRequired[
        Annotated[str, Field(pattern=f"^{PACK_ID.pattern}$", description="The pack, if it is of one pack.")]
    ]
    role_id: NotRequired[
        Annotated[str, Field(pattern=f"^{ROLE_ID.pattern}$", description="The role, if it is of one role.")]
    ]
    revision: NotRequired[
        Annotated[int, Field(ge=1, description="The revision of the pack or the role that it made.")]
    ]
    data: Annotated[
        dict[str, Any],
        Field(
            description=f"What else is known, by type: at most {MAX_DATA_BYTES} bytes of JSON. With "
            f"`{TRUNCATED}: true`, something was left out."
        ),
    ]


class EventPage(TypedDict):
    """A page of events."""

    events: list[Event]
    next_cursor: NotRequired[
        Annotated[str, Field(description="Where the next page begins; absent on the last.")]
    ]
