"""What the service answers when it refuses, as types; see `api.models`."""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

from api.capability_models import CapabilitiesDifference
from api.models import PackId, RoleId, SemVer
from api.scan_models import RefusedFinding
from api.signature_policies import UnsignedImage


class References(TypedDict):
    """What references a pack."""

    role_ids: Annotated[list[RoleId], Field(description="Roles of the caller's organisation, the first few.")]
    other_organisations: Annotated[int, Field(ge=0, description="References of others; whose is not said.")]


class RefusedClaim(TypedDict):
    """A claim of a token that is not what it must be."""

    came: NotRequired[Annotated[str, Field(description="What the token has, shortened; absent for nothing.")]]
    configured: NotRequired[
        Annotated[str, Field(description="What the trusted publisher has, if the owner's id is the token's.")]
    ]


class UnusableRevision(TypedDict):
    """A revision whose image nobody can begin to use."""

    pack_id: PackId
    revision: Annotated[int, Field(ge=1)]
    status: Literal["withdrawn", "deleted"]


class ErrorDetails(TypedDict):
    """What a client can act on; which of these there are depends on the code."""

    fields: NotRequired[Annotated[dict[str, str], Field(description="What is wrong, by field.")]]
    pack_id: NotRequired[Annotated[PackId, Field(description="The pack that is in the way.")]]
    pack_ids: NotRequired[Annotated[list[PackId], Field(description="The packs that are in the way.")]]
    references: NotRequired[References]
    id: NotRequired[Annotated[str, Field(description="What the first request has made.")]]
    limit: NotRequired[Annotated[int, Field(ge=0, description="The most that there may be.")]]
    used: NotRequired[Annotated[int, Field(ge=0, description="How much of the limit is used.")]]
    quota: NotRequired[Annotated[str, Field(description="Which limit it is, as `GET /usage` names it.")]]
    resets_at: NotRequired[Annotated[datetime, Field(description="When the count begins anew.")]]
    version: NotRequired[Annotated[SemVer, Field(description="The version that is not allowed.")]]
    next_version: NotRequired[Annotated[SemVer, Field(description="A version that is allowed instead.")]]
    revision: NotRequired[Annotated[int, Field(ge=0, description="Where what was to be written stands.")]]
    capabilities: NotRequired[
        Annotated[
            dict[str, CapabilitiesDifference], Field(description="By pack, what a pin's move would change.")
        ]
    ]
    claims: NotRequired[
        Annotated[dict[str, RefusedClaim], Field(description="What is wrong with a token of CI, by claim.")]
    ]
    revisions: NotRequired[
        Annotated[list[UnusableRevision], Field(description="What was withdrawn or deleted.")]
    ]
    images: NotRequired[
        Annotated[list[UnsignedImage], Field(description="What a signature policy does not accept.")]
    ]
    findings: NotRequired[
        Annotated[
            list[RefusedFinding],
            Field(
                description="What the scan policy refuses. Of another organisation's pack: rules and severities."
            ),
        ]
    ]
    incomplete: NotRequired[Annotated[str, Field(description="Why the scan did not end.")]]


class ErrorBody(TypedDict):
    """Why a request was refused."""

    code: Annotated[str, Field(description="For programs; stable.")]
    message: Annotated[str, Field(description="For people.")]
    request_id: Annotated[str, Field(description="Also in X-Request-Id and in the logs.")]
    details: NotRequired[ErrorDetails]


class Error(TypedDict):
    """Every error, those of the gateway included."""

    error: ErrorBody


MODELS: tuple[Any, ...] = (Error,)
