"""What the service answers the operator, as types; see `api.models`."""

from datetime import datetime
from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

from api.usage_models import Used, UsedToday
from packyard.packs.manifest.name import MAX_LENGTH, SLUG
from packyard.packs.pack import PACK_ID
from packyard.tenants.org import ORG_ID, BillingPosture

_OrgId = Annotated[str, Field(pattern=f"^{ORG_ID.pattern}$")]
_Slug = Annotated[str, Field(pattern=f"^{SLUG.pattern}$", max_length=MAX_LENGTH)]
_Set = Annotated[
    Literal["own", "default"],
    Field(description="Whose the limit is: one that was set for this organisation, or the deployment's."),
]


class PendingDeletion(TypedDict):
    """A pack whose deletion is decided and not finished."""

    pack_id: Annotated[str, Field(pattern=f"^{PACK_ID.pattern}$")]
    name: _Slug
    org_id: _OrgId
    org_slug: NotRequired[Annotated[_Slug, Field(description="Absent if the organisation is gone.")]]
    asked_at: Annotated[datetime, Field(description="When its owner first asked to delete it.")]


class DeletionPage(TypedDict):
    """A page of packs that are being deleted, the longest waiting first."""

    deletions: list[PendingDeletion]
    next_cursor: NotRequired[
        Annotated[str, Field(description="Where the next page begins; absent on the last.")]
    ]


class DeadLetter(TypedDict):
    """A message that was given up."""

    message_id: str
    sent_at: Annotated[
        datetime,
        Field(
            description="When it was sent to its queue; of a delivery, when it was given up. It is kept for 14 days "
            "from then."
        ),
    ]
    subject: Annotated[str, Field(description="What it is about, for people: kinds, ids and names.")]


class DeadLetterQueue(TypedDict):
    """What was given up of one queue."""

    name: Annotated[str, Field(description="As `packyard admin dead-letters --of` takes it.")]
    count: Annotated[
        int, Field(ge=0, description="How many there are, as SQS counts them: about, and a little late.")
    ]
    letters: Annotated[
        list[DeadLetter],
        Field(max_length=10, description="Some of them, the oldest of these first."),
    ]


class DeadLetterQueues(TypedDict):
    """What was given up, by queue."""

    queues: list[DeadLetterQueue]


class OrganisationUsed(Used):
    """How much of something an organisation uses."""

    set: _Set


class OrganisationUsedToday(UsedToday):
    """How much an organisation uses of what is counted by the day."""

    set: _Set


class OrganisationUsage(TypedDict):
    """What an organisation uses, and what it may use; see `Usage`."""

    packs: OrganisationUsed
    stored_bytes: OrganisationUsed
    publishes_a_day: OrganisationUsedToday
    builds_at_once: OrganisationUsed


class Organisation(TypedDict):
    """An organisation, as the operator sees it."""

    id: _OrgId
    slug: _Slug
    billing: BillingPosture
    trial_ends_at: NotRequired[datetime]
    platform: Annotated[
        bool, Field(description="Whether it is the operator's own, whose packs everyone sees.")
    ]
    usage: OrganisationUsage


MODELS = (DeletionPage, DeadLetterQueues, Organisation)
