"""Version policies in requests and answers."""

from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.app import json_response
from packyard.http.entity_tags import ETAG
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json
from packyard.packs.precondition import revision_tag
from packyard.tenants.policy_state import PolicyState
from packyard.tenants.version_policy import VersionPolicy
from packyard.text.suggestion import not_one_of

_POLICY: Final = Field(
    name="version_policy",
    values=VersionPolicy,
    required=True,
    example=VersionPolicy.INCREASING,
    description="`free`: any version. `increasing`: another version than the present one is higher than every version "
    "that the pack has had (SemVer precedence), and an archive or an image with new content has another version. "
    "`immutable`: a version that was ever published under a name keeps its content, also if the pack is deleted.",
)
POLICY_CHANGE: Final = Body(
    name="VersionPolicyChange", description="Which versions may be published.", fields=(_POLICY,)
)


def read_policy(event: APIGatewayProxyEvent) -> VersionPolicy:
    """Return the policy that a body names.

    Raises:
        UnsupportedMediaType, PayloadTooLarge: See `read_json`.
        InvalidRequest: The body is not such an object, or the policy is unknown.
    """
    given = read_json(event, POLICY_CHANGE)[_POLICY.name]
    try:
        return VersionPolicy(given)
    except ValueError:
        names = tuple(str(policy) for policy in VersionPolicy)
        raise InvalidRequest({_POLICY.name: not_one_of(str(given)[:64], names)}) from None


def policy_response(state: PolicyState[VersionPolicy]) -> Response[str]:
    """Return the answer with a policy."""
    headers = {ETAG: revision_tag(state.revision)}
    return json_response(200, {_POLICY.name: state.policy.value}, headers)
