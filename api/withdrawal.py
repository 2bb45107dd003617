"""The operations that take revisions back: withdrawal, restoration, deletion of content, retention."""

from collections.abc import Sequence
from typing import Final

from api import examples
from api.operation import CHANGED_MEANWHILE, JSON_FAULTS, Answer, Operation
from packyard.http import revision_deletion
from packyard.http.preconditions import IF_MATCH
from packyard.http.retention import RETENTION
from packyard.http.withdrawal import WITHDRAWAL
from packyard.tenants.caller import WRITE_POLICIES

_PACKS: Final = "Packs"
_RETENTION: Final = Answer(
    description="The policy.",
    model="Retention",
    example={"keep": 20},
    headers={"ETag": "Of the policy: what If-Match takes."},
)
_OF_THE_PACK: Final = "If-Match takes the entity tag of the pack."

WITHDRAWAL_OPERATIONS: Final[Sequence[Operation]] = (
    Operation(
        function="withdraw_revision",
        name="withdraw_revision",
        method="post",
        path="/packs/{id}/revisions/{n}/withdrawal",
        tag=_PACKS,
        summary="Withdraw a revision",
        description="Withdraws the image of the revision, and with it every revision that has this image. It can still "
        "be read, and pins that have it stay. Nobody can newly pin it, clone it, go back to it or publish it again. If "
        "it is the pack's present image, the pack leaves other organisations' listings until it has another one. A "
        f"repeat changes nothing, the reason included. {_OF_THE_PACK}",
        headers=[IF_MATCH],
        body=WITHDRAWAL,
        example={"reason": "It has a password of the staging database."},
        answers={
            200: Answer(description="The revision.", model="Revision", example=examples.WITHDRAWN_REVISION)
        },
        refusals=[*JSON_FAULTS, "pack_not_found", "revision_not_found", *CHANGED_MEANWHILE],
        writes=True,
    ),
    Operation(
        function="withdraw_revision",
        name="restore_revision",
        method="delete",
        path="/packs/{id}/revisions/{n}/withdrawal",
        tag=_PACKS,
        summary="Take a withdrawal back",
        description=f"The image can be used as before. Repeating is safe. {_OF_THE_PACK}",
        headers=[IF_MATCH],
        answers={
            200: Answer(
                description="The revision.", model="Revision", example=examples.REVISIONS["revisions"][0]
            )
        },
        refusals=["pack_not_found", "revision_not_found", *CHANGED_MEANWHILE],
        writes=True,
    ),
    Operation(
        function="delete_revision",
        method="delete",
        path="/packs/{id}/revisions/{n}",
        tag=_PACKS,
        summary="Delete the content of a revision",
        description="For the day when a secret was published. Removes the image of the revision, its file index and "
        "its downloads, and with it every revision that has this image. Layers that other revisions share stay. The "
        "entries in the history stay, with `status: deleted`. Refused while the image is the pack's present one, or a "
        f"role pins it. Repeating is safe. {_OF_THE_PACK}",
        query=revision_deletion.QUERY,
        headers=[IF_MATCH],
        answers={
            200: Answer(
                description="The content is gone, by this request or before.",
                model="DeletedRevision",
                example={"status": "deleted", "also_in": [2], "clones": 0},
            )
        },
        refusals=[
            "pack_not_found",
            "revision_not_found",
            "revision_in_use",
            *CHANGED_MEANWHILE,
            "registry_cleanup_failed",
        ],
        writes=True,
        scope=WRITE_POLICIES,
    ),
    Operation(
        function="retention",
        name="get_retention",
        method="get",
        path="/packs/{id}/retention",
        tag=_PACKS,
        summary="Read how many revisions of a pack are kept",
        answers={200: _RETENTION},
        refusals=["pack_not_found"],
    ),
    Operation(
        function="retention",
        name="set_retention",
        method="put",
        path="/packs/{id}/retention",
        tag=_PACKS,
        summary="Set how many revisions of a pack are kept",
        description="The content of a revision is deleted when it is older than the newest `keep` revisions, is not "
        "the present image, and no role of any organisation pins it. That happens in the background, after each new "
        "revision and after this request. It cannot be undone.",
        headers=[IF_MATCH],
        body=RETENTION,
        example={"keep": 20},
        answers={200: _RETENTION},
        refusals=[*JSON_FAULTS, "pack_not_found", *CHANGED_MEANWHILE],
        writes=True,
        scope=WRITE_POLICIES,
    ),
)
