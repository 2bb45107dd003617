"""The operations on policies of an organisation."""

from typing import Annotated, Final

from pydantic import Field
from typing_extensions import TypedDict

from api.operation import Answer, Operation
from packyard.http.preconditions import IF_MATCH
from packyard.http.version_policy import POLICY_CHANGE
from packyard.tenants.caller import WRITE_POLICIES
from packyard.tenants.version_policy import VersionPolicy

_TAG: Final = "Policies"
_ETAG: Final = {"ETag": "How often the policy has been changed, in quotes: what If-Match takes."}


class VersionPolicyState(TypedDict):
    """Which versions an organisation may publish."""

    version_policy: Annotated[
        VersionPolicy, Field(description="A publication that it does not allow is 409 `version_taken`.")
    ]


_POLICY: Final = Answer(
    description="The policy.",
    model="VersionPolicyState",
    example={"version_policy": "increasing"},
    headers=_ETAG,
)

OPERATIONS: Final = (
    Operation(
        function="policies",
        name="version_policy",
        method="get",
        path="/version-policy",
        tag=_TAG,
        summary="Read which versions you may publish",
        answers={200: _POLICY},
    ),
    Operation(
        function="policies",
        name="set_version_policy",
        method="put",
        path="/version-policy",
        tag=_TAG,
        summary="Set which versions you may publish",
        description="It is for all packs of your organisation, and for requests that begin after it. Going back to an "
        "earlier revision publishes nothing, so no policy refuses it.",
        headers=[IF_MATCH],
        body=POLICY_CHANGE,
        example={"version_policy": "increasing"},
        answers={200: _POLICY},
        refusals=["payload_too_large", "unsupported_media_type", "precondition_failed"],
        writes=True,
        scope=WRITE_POLICIES,
    ),
)
