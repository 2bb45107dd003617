"""The operations on packs; see `api.operations`."""

from collections.abc import Sequence
from typing import Final

from api import examples
from api.answers import pack_answer
from api.operation import CHANGED_MEANWHILE, JSON_FAULTS, Answer, Operation
from packyard.http import dry_run, listing, page_limit
from packyard.http.changes import CHANGES_FORM
from packyard.http.clone import CLONE
from packyard.http.idempotency import IDEMPOTENCY_KEY
from packyard.http.image_ref import REGISTRATION, REPLACEMENT
from packyard.http.pack_change import PACK_CHANGE
from packyard.http.preconditions import IF_MATCH
from packyard.http.source import SOURCE
from packyard.http.upload import ARCHIVE_FORM, PACK_FORM

_PACKS: Final = "Packs"
_FILES: Final = "Files"

PACK_OPERATIONS: Final[Sequence[Operation]] = (
    Operation(
        function="create_pack",
        method="post",
        path="/packs",
        tag=_PACKS,
        summary="Create a pack from an image",
        description="Resolves the reference in its registry, pins the digest and reads `pack.yaml` at the "
        "image's root, or the `SKILL.md` of an Agent Skill. The image is neither copied nor ever deleted.",
        query=dry_run.QUERY,
        headers=[IDEMPOTENCY_KEY, SOURCE],
        body=REGISTRATION,
        example={"image_ref": "ghcr.io/acme/slack-pack:1.4.0"},
        answers={
            201: pack_answer("The new pack.", sent=True),
            200: pack_answer(
                "The pack that is there already: the request would have changed nothing.", dry_run=True
            ),
        },
        refusals=[
            "quota_exceeded",
            *JSON_FAULTS,
            "pack_name_taken",
            "version_taken",
            "revision_withdrawn",
            "signature_required",
            "registry_unavailable",
        ],
        writes=True,
    ),
    Operation(
        function="upload_pack",
        method="post",
        path="/packs/upload",
        tag=_PACKS,
        summary="Create a pack from an archive",
        description="Validates the archive, builds an image and pushes it. An archive with `SKILL.md` at its root and "
        "no `pack.yaml` is an Agent Skill: any files may be in it. One request carries about 4.5 MiB; "
        "larger archives go through a staged upload.",
        query=dry_run.QUERY,
        headers=[IDEMPOTENCY_KEY, SOURCE],
        body=PACK_FORM,
        answers={
            201: pack_answer("The new pack.", sent=True),
            200: pack_answer(
                "The pack that is there already: the archive would have changed nothing.", dry_run=True
            ),
        },
        refusals=[
            "quota_exceeded",
            *JSON_FAULTS,
            "pack_name_taken",
            "version_taken",
            "scan_blocked",
            "revision_withdrawn",
            "registry_unavailable",
        ],
        writes=True,
    ),
    Operation(
        function="list_packs",
        method="get",
        path="/packs",
        tag=_PACKS,
        summary="List the packs that you can see",
        description="Your organisation's own, community packs of others, and the platform's: by name, or with `search` "
        "best first. A search finds new packs within 5 seconds. With filters, a page may have few packs, or none, "
        "although others follow.",
        query=listing.QUERY,
        answers={200: Answer(description="A page.", model="PackPage", example={"packs": [examples.PACK]})},
    ),
    Operation(
        function="get_pack",
        method="get",
        path="/packs/{id}",
        tag=_PACKS,
        summary="Read a pack",
        answers={200: pack_answer("The pack.")},
        refusals=["pack_not_found"],
    ),
    Operation(
        function="replace_pack",
        method="put",
        path="/packs/{id}",
        tag=_PACKS,
        summary="Move a pack to another tag or digest",
        description="The image is in the same repository, and its `pack.yaml` has the same name. A built pack can "
        "go back to the image of an earlier revision.",
        query=dry_run.QUERY,
        headers=[IF_MATCH, SOURCE],
        body=REPLACEMENT,
        example={"image_ref": "ghcr.io/acme/slack-pack:1.5.0"},
        answers={200: pack_answer("The pack as it is now.", dry_run=True)},
        refusals=[
            "quota_exceeded",
            *JSON_FAULTS,
            "pack_not_found",
            "revision_not_found",
            "version_taken",
            "scan_blocked",
            *CHANGED_MEANWHILE,
            "revision_withdrawn",
            "signature_required",
            "registry_unavailable",
        ],
        writes=True,
    ),
    Operation(
        function="update_pack",
        method="patch",
        path="/packs/{id}",
        tag=_PACKS,
        summary="Change who may see a pack, or deprecate it",
        description="A deprecated pack works as before. Every answer with it says that it is deprecated.",
        headers=[IF_MATCH],
        body=PACK_CHANGE,
        example={"visibility": "community"},
        answers={200: pack_answer("The pack as it is now.")},
        refusals=[*JSON_FAULTS, "pack_not_found", "pack_in_use", *CHANGED_MEANWHILE],
        writes=True,
    ),
    Operation(
        function="delete_pack",
        method="delete",
        path="/packs/{id}",
        tag=_PACKS,
        summary="Delete a pack",
        description="For packs that we have built, every version of the image goes too. Repeating is safe.",
        headers=[IF_MATCH],
        answers={
            200: Answer(
                description="The pack is gone, by this request or before.",
                model="Deleted",
                example={"status": "deleted"},
            )
        },
        refusals=[
            "pack_not_found",
            "pack_in_use",
            "precondition_failed",
            "registry_cleanup_failed",
        ],
        writes=True,
    ),
    Operation(
        function="reupload_pack",
        method="post",
        path="/packs/{id}/upload",
        tag=_PACKS,
        summary="Give an uploaded pack a new archive",
        description="The archive has the same name and any version. An Agent Skill that states no version gets the "
        "next patch, or keeps its version if the content is the same. The pack keeps its id and its roles.",
        query=dry_run.QUERY,
        headers=[IF_MATCH, IDEMPOTENCY_KEY, SOURCE],
        body=ARCHIVE_FORM,
        answers={200: pack_answer("The pack as it is now.", dry_run=True)},
        refusals=[
            "quota_exceeded",
            *JSON_FAULTS,
            "pack_not_found",
            "version_taken",
            "scan_blocked",
            *CHANGED_MEANWHILE,
            "revision_withdrawn",
            "registry_unavailable",
        ],
        writes=True,
    ),
    Operation(
        function="change_pack",
        method="post",
        path="/packs/{id}/changes",
        tag=_FILES,
        summary="Change many files at once",
        description="Adds or replaces the files of an archive, and deletes paths: one revision, all or none. Each "
        "path is named once. Only for own packs of tier `community` that were uploaded or cloned. Layers of the image "
        "in which nothing changes are neither built nor sent again. Larger changes go through a staged upload.",
        query=dry_run.QUERY,
        headers=[IF_MATCH, IDEMPOTENCY_KEY, SOURCE],
        body=CHANGES_FORM,
        answers={
            200: pack_answer(
                "The pack as it is now; the same as before if the change changes nothing.", dry_run=True
            )
        },
        refusals=[
            "quota_exceeded",
            *JSON_FAULTS,
            "pack_not_found",
            "version_taken",
            "scan_blocked",
            *CHANGED_MEANWHILE,
            "revision_withdrawn",
            "registry_unavailable",
        ],
        writes=True,
    ),
    Operation(
        function="clone_pack",
        method="post",
        path="/packs/{id}/clone",
        tag=_PACKS,
        summary="Copy a pack into your organisation",
        headers=[IDEMPOTENCY_KEY],
        body=CLONE,
        example={"name": "our-slack"},
        answers={
            201: pack_answer("The copy."),
            200: pack_answer("The copy that is there already: the request would have changed nothing."),
        },
        refusals=[
            "quota_exceeded",
            *JSON_FAULTS,
            "pack_not_found",
            "pack_name_taken",
            "version_taken",
            "scan_blocked",
            "pack_deleting",
            "revision_withdrawn",
            "signature_required",
            "registry_unavailable",
        ],
        writes=True,
    ),
    Operation(
        function="list_revisions",
        name="list_revisions",
        method="get",
        path="/packs/{id}/revisions",
        tag=_PACKS,
        summary="Read a pack's history",
        description="One entry for every accepted write, the newest first.",
        query=page_limit.PAGE_QUERY,
        answers={200: Answer(description="A page.", model="RevisionPage", example=examples.REVISIONS)},
        refusals=["pack_not_found"],
    ),
)
