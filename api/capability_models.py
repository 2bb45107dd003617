"""What answers say of capabilities, as types; see `api.models`."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on


class CapabilityRule(TypedDict):
    """Requests that a pack may make. Without hosts, what the type and the name stand for."""

    name: str
    type: str
    domains: NotRequired[list[str]]
    methods: NotRequired[list[str]]
    paths: NotRequired[list[str]]


_Widened = Annotated[bool, Field(description="Whether a request is allowed that was not.")]
_AddedRules = Annotated[list[CapabilityRule], Field(description="Rules that allow something new.")]
_AddedInAll = Annotated[int, Field(description="How many, if `added` has the first.")]
_RemovedRules = Annotated[list[CapabilityRule], Field(description="Rules that allowed something more.")]
_RemovedInAll = Annotated[int, Field(description="How many, if `removed` has the first.")]
_NewRequest = Annotated[str, Field(description="A request that is allowed only now.")]

CapabilitiesDifference = TypedDict(
    "CapabilitiesDifference",
    {
        "from": Annotated[int, Field(ge=1, description="The revision of the pin.")],
        "to": Annotated[int, Field(ge=1, description="The revision to accept.")],
        "widened": _Widened,
        "added": _AddedRules,
        "added_in_all": NotRequired[_AddedInAll],
        "removed": _RemovedRules,
        "removed_in_all": NotRequired[_RemovedInAll],
        "example": NotRequired[_NewRequest],
    },
)


class CapabilityChange(TypedDict):
    """How the capabilities would change."""

    changed: Annotated[bool, Field(description="Whether their text would be another.")]
    widened: _Widened
    added: _AddedRules
    added_in_all: NotRequired[_AddedInAll]
    removed: _RemovedRules
    removed_in_all: NotRequired[_RemovedInAll]
    example: NotRequired[_NewRequest]
