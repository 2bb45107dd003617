"""The operations on roles; see `api.operations`."""

from collections.abc import Sequence
from typing import Final

from api import examples
from api.answers import ELSEWHERE
from api.operation import JSON_FAULTS, Answer, Operation
from packyard.http import lock, page_limit
from packyard.http.preconditions import CREATE_ONLY, IF_MATCH
from packyard.http.pull_login import LOGIN_REQUEST
from packyard.http.roles import REFRESH, ROLE_ASSIGNMENT
from packyard.tenants.caller import WRITE_ROLES

_ROLES: Final = "Roles"
_ROLE: Final = Answer(
    description="The role.",
    model="RolePacks",
    example=examples.ROLE_PACKS,
    headers={
        "ETag": "The role's revision, in quotes, with something after `@` while pins are stale: what If-Match takes."
    },
)

ROLE_OPERATIONS: Final[Sequence[Operation]] = (
    Operation(
        function="set_role_packs",
        method="put",
        path="/agent-roles/{role_id}/packs",
        tag=_ROLES,
        summary="Set the packs of a role",
        description="Replaces the whole list or changes nothing. An empty list detaches every pack. New packs are "
        "pinned at their present revision, or at the one that is named; those that stay keep their pin. One request "
        "changes at most 30 pins.",
        headers=[IF_MATCH, CREATE_ONLY],
        body=ROLE_ASSIGNMENT,
        example={"pack_ids": [examples.PACK_ID]},
        answers={200: _ROLE},
        refusals=[
            *JSON_FAULTS,
            "pack_not_found",
            "revision_not_found",
            "pack_deleting",
            "capabilities_widened",
            "revision_withdrawn",
            "signature_required",
            "role_modified",
            "precondition_failed",
        ],
        writes=True,
        scope=WRITE_ROLES,
    ),
    Operation(
        function="refresh_role",
        method="post",
        path="/agent-roles/{role_id}/packs/refresh",
        tag=_ROLES,
        summary="Move pins to the present revisions",
        description="All or none of them, at most 30 at once; `more` in the answer says that others are left. A "
        "revision that may do more than the pin's needs consent: `accept_capabilities` names exactly that revision.",
        headers=[IF_MATCH],
        body=REFRESH,
        example={"accept_capabilities": {examples.PACK_ID: 4}},
        answers={
            200: Answer(
                description="The role as it is now.",
                model="RefreshedRole",
                example=examples.ROLE_PACKS,
                headers=_ROLE.headers,
            )
        },
        refusals=[
            *JSON_FAULTS,
            "role_not_found",
            "pack_not_found",
            "capabilities_widened",
            "revision_withdrawn",
            "signature_required",
            "role_modified",
            "precondition_failed",
        ],
        writes=True,
        scope=WRITE_ROLES,
    ),
    Operation(
        function="get_role_packs",
        name="list_roles",
        method="get",
        path="/agent-roles",
        tag=_ROLES,
        summary="List your organisation's roles",
        description="By their ids, each with whether one of its pins is stale.",
        query=page_limit.PAGE_QUERY,
        answers={200: Answer(description="A page.", model="RolePage", example=examples.ROLES)},
    ),
    Operation(
        function="delete_role",
        method="delete",
        path="/agent-roles/{role_id}",
        tag=_ROLES,
        summary="Delete a role",
        description="Its packs stay; its pins are let go.",
        headers=[IF_MATCH],
        answers={
            200: Answer(description="The role is gone.", model="Deleted", example={"status": "deleted"})
        },
        refusals=["role_not_found", "role_modified", "precondition_failed"],
        writes=True,
        scope=WRITE_ROLES,
    ),
    Operation(
        function="get_lock",
        method="get",
        path="/agent-roles/{role_id}/lock",
        tag=_ROLES,
        summary="Read a role's lock document",
        description="What an agent's runtime needs of the role, and nothing else, in canonical JSON (RFC 8785). Poll "
        "it with If-None-Match. Its schema and test vectors are in `docs/lock`.",
        query=lock.QUERY,
        answers={
            200: Answer(
                description="The lock document.",
                model="Lock",
                example=examples.LOCK,
                headers={"ETag": "Changes with the role's revision."},
            ),
            302: ELSEWHERE,
        },
        refusals=["role_not_found", "registry_unavailable"],
    ),
    Operation(
        function="get_role_packs",
        name="list_role_revisions",
        method="get",
        path="/agent-roles/{role_id}/revisions",
        tag=_ROLES,
        summary="Read a role's history",
        description="One entry for every accepted write, the newest first, with who consented to what.",
        query=page_limit.PAGE_QUERY,
        answers={
            200: Answer(description="A page.", model="RoleRevisionPage", example=examples.ROLE_REVISIONS)
        },
        refusals=["role_not_found"],
    ),
    Operation(
        function="get_role_packs",
        name="get_role_packs",
        method="get",
        path="/agent-roles/{role_id}/packs",
        tag=_ROLES,
        summary="Read the packs of a role",
        answers={200: _ROLE},
        refusals=["role_not_found"],
    ),
    Operation(
        function="issue_pull_token",
        method="post",
        path="/agent-roles/{role_id}/pull-token",
        tag=_ROLES,
        summary="Get a login to pull the images of a role",
        description=(
            "A login of 15 minutes at the distribution door, which opens the images that the role pins, by their "
            'digests, and nothing else. With `"login": "registry"`, a login at Amazon ECR instead, if all of the '
            "images are in repositories of your own organisation: it opens these repositories whole, for up to 12 "
            "hours, and nothing ends it sooner. One such login has room for 14 to 26 repositories, fewer where their "
            "names are long. The answer is never kept: a repeat gets another login."
        ),
        body=LOGIN_REQUEST,
        example={"login": "door"},
        answers={200: Answer(description="The login.", model="PullLogin", example=examples.PULL_LOGIN)},
        refusals=[*JSON_FAULTS, "role_not_found"],
        writes=True,
        scope=WRITE_ROLES,
    ),
)
