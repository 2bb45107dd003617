"""What the operations on webhooks answer, as types; see `api.models`."""

from datetime import datetime
from typing import Annotated, Final, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from api.models import Cursor, PackId
from packyard.packs.event import EVENT_ID, EventType
from packyard.webhooks.delivery import DeliveryError, DeliveryStatus
from packyard.webhooks.webhook import WEBHOOK_ID, DisabledBecause, WebhookState

WebhookId = Annotated[
    str, Field(pattern=f"^{WEBHOOK_ID.pattern}$", examples=["whk_01JQ2V7N3T5W8XABCDEFGHJKMN"])
]
DeliveryId = Annotated[str, Field(pattern=f"^{EVENT_ID.pattern}$", description="The id of the event.")]


class Webhook(TypedDict):
    """Where an organisation's events are sent, without the secret that signs them."""

    id: WebhookId
    url: str
    types: Annotated[list[EventType], Field(description="The types that are sent; empty for all types.")]
    pack_ids: NotRequired[Annotated[list[PackId], Field(description="Only events of these packs are sent.")]]
    description: NotRequired[str]
    state: WebhookState
    disabled_because: NotRequired[
        Annotated[
            DisabledBecause,
            Field(
                description="`asked`: somebody said so. `failing`: no delivery has succeeded for five days. `gone`: "
                "the receiver answered 410."
            ),
        ]
    ]
    disabled_at: NotRequired[datetime]
    failing_since: NotRequired[
        Annotated[
            datetime, Field(description="When the first delivery failed after the last that succeeded.")
        ]
    ]
    created_at: datetime
    created_by: Annotated[str, Field(description="Who made it, a principal.")]
    revision: Annotated[int, Field(ge=1)]


class WebhookWithSecret(Webhook):
    """A webhook and its new secret, which is shown this once."""

    secret: Annotated[
        str,
        Field(
            pattern="^whsec_[A-Za-z0-9+/]{43}=$",
            description="Verifies signatures, with any library for Standard Webhooks 1.0.",
        ),
    ]


class WebhookList(TypedDict):
    """All webhooks of an organisation, the oldest first."""

    webhooks: list[Webhook]


class DeletedWebhook(TypedDict):
    """A webhook that is gone."""

    status: Literal["deleted"]


class Delivery(TypedDict):
    """One event on its way to one webhook."""

    id: DeliveryId
    type: Annotated[str, Field(description="The event's type, or `webhook.test`.")]
    status: Annotated[
        DeliveryStatus,
        Field(
            description="`retrying`: it failed and will be tried again. `failed`: it failed for 24 hours. `dropped`: "
            "the webhook was disabled before."
        ),
    ]
    attempts: Annotated[int, Field(ge=0)]
    first_at: datetime
    last_at: datetime
    next_at: NotRequired[Annotated[datetime, Field(description="When it is tried again, about.")]]
    response_status: NotRequired[Annotated[int, Field(description="The HTTP status of the last answer.")]]
    error: NotRequired[
        Annotated[
            DeliveryError,
            Field(
                description="Why the last attempt failed. `unreachable`: there was no connection to a public address. "
                "`tls`: the certificate is not valid. `no_answer`: nothing came within 10 seconds, or no HTTP. "
                "`redirect`: redirects are not followed. `status`: another status than 2xx."
            ),
        ]
    ]


class DeliveryPage(TypedDict):
    """A page of the deliveries of the last seven days, the newest event first."""

    deliveries: list[Delivery]
    next_cursor: NotRequired[Cursor]


class DeliveryAsked(TypedDict):
    """A delivery that is on its way."""

    delivery_id: DeliveryId


MODELS: Final = (
    Webhook,
    WebhookWithSecret,
    WebhookList,
    DeletedWebhook,
    Delivery,
    DeliveryPage,
    DeliveryAsked,
)
