"""The operations of the API contract: what each takes, and all that it may answer."""

from collections.abc import Sequence
from typing import Final

from api import comparison, examples, policies
from api.attestation_operations import ATTESTATION_OPERATIONS
from api.doors import DOOR_OPERATIONS
from api.event_operations import EVENT_OPERATIONS
from api.feeds import FEED_OPERATIONS
from api.operation import ANYTHING, Answer, Operation
from api.operator_operations import OPERATOR_OPERATIONS
from api.publishers import PUBLISHER_OPERATIONS
from api.scans import SCAN_OPERATIONS
from api.signature_policies import SIGNATURE_OPERATIONS
from api.usage_operations import USAGE_OPERATIONS
from api.webhook_operations import WEBHOOK_OPERATIONS
from api.withdrawal import WITHDRAWAL_OPERATIONS
from packyard.http import dry_run, keys, listing, lock, page_limit, revision_field
from packyard.http.changes import CHANGES_FORM
from packyard.http.clone import CLONE
from packyard.http.idempotency import IDEMPOTENCY_KEY
from packyard.http.image_ref import REGISTRATION, REPLACEMENT
from packyard.http.pack_change import PACK_CHANGE
from packyard.http.preconditions import CREATE_ONLY, IF_MATCH
from packyard.http.pull_login import LOGIN_REQUEST
from packyard.http.roles import REFRESH, ROLE_ASSIGNMENT
from packyard.http.source import SOURCE
from packyard.http.upload import ARCHIVE_FORM, PACK_FORM
from packyard.http.uploads import UPLOAD_START
from packyard.tenants.caller import WRITE_KEYS, WRITE_ROLES

_PACKS, _FILES, _UPLOADS, _ROLES, _KEYS, _ABOUT = (
    "Packs",
    "Files",
    "Staged uploads",
    "Roles",
    "API keys",
    "About this API",
)

_JSON_FAULTS: Final = ("payload_too_large", "unsupported_media_type")
_CHANGED_MEANWHILE: Final = ("pack_deleting", "pack_modified", "precondition_failed")

_ETAG: Final = {"ETag": "Your own pack's revision, in quotes: what If-Match takes."}
_ROLE: Final = Answer(
    description="The role.",
    model="RolePacks",
    example=examples.ROLE_PACKS,
    headers={
        "ETag": "The role's revision, in quotes, with something after `@` while pins are stale: what If-Match takes."
    },
)

_ELSEWHERE: Final = Answer(
    description="Too large for one answer: Location has a short-lived URL of it.",
    media_type=None,
    headers={"Location": "A short-lived URL."},
)


def _pack(description: str, *, dry_run: bool = False, sent: bool = False) -> Answer:
    tried = " With `dry_run=true`: what would come of the request." if dry_run else ""
    return Answer(
        description=description + tried,
        model="SentPack" if sent or dry_run else "Pack",
        example=examples.PACK,
        headers=_ETAG,
        dry_run=dry_run,
    )


OPERATIONS: Final[Sequence[Operation]] = (
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
            201: _pack("The new pack.", sent=True),
            200: _pack(
                "The pack that is there already: the request would have changed nothing.", dry_run=True
            ),
        },
        refusals=[
            "quota_exceeded",
            *_JSON_FAULTS,
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
            201: _pack("The new pack.", sent=True),
            200: _pack(
                "The pack that is there already: the archive would have changed nothing.", dry_run=True
            ),
        },
        refusals=[
            "quota_exceeded",
            *_JSON_FAULTS,
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
        answers={200: _pack("The pack.")},
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
        answers={200: _pack("The pack as it is now.", dry_run=True)},
        refusals=[
            "quota_exceeded",
            *_JSON_FAULTS,
            "pack_not_found",
            "revision_not_found",
            "version_taken",
            "scan_blocked",
            *_CHANGED_MEANWHILE,
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
        answers={200: _pack("The pack as it is now.")},
        refusals=[*_JSON_FAULTS, "pack_not_found", "pack_in_use", *_CHANGED_MEANWHILE],
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
        answers={200: _pack("The pack as it is now.", dry_run=True)},
        refusals=[
            "quota_exceeded",
            *_JSON_FAULTS,
            "pack_not_found",
            "version_taken",
            "scan_blocked",
            *_CHANGED_MEANWHILE,
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
            200: _pack(
                "The pack as it is now; the same as before if the change changes nothing.", dry_run=True
            )
        },
        refusals=[
            "quota_exceeded",
            *_JSON_FAULTS,
            "pack_not_found",
            "version_taken",
            "scan_blocked",
            *_CHANGED_MEANWHILE,
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
            201: _pack("The copy."),
            200: _pack("The copy that is there already: the request would have changed nothing."),
        },
        refusals=[
            "quota_exceeded",
            *_JSON_FAULTS,
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
    *comparison.OPERATIONS,
    *WITHDRAWAL_OPERATIONS,
    *ATTESTATION_OPERATIONS,
    *DOOR_OPERATIONS,
    Operation(
        function="list_files",
        method="get",
        path="/packs/{id}/files",
        tag=_FILES,
        summary="List a pack's files",
        query=(revision_field.REVISION,),
        answers={
            200: Answer(description="Its files.", model="FileList", example=examples.FILES),
            302: _ELSEWHERE,
        },
        refusals=["validation_error", "pack_not_found", "revision_not_found", "registry_unavailable"],
    ),
    Operation(
        function="download_pack",
        method="get",
        path="/packs/{id}/download",
        tag=_FILES,
        summary="Download a pack's image without a registry login",
        description="Hash each document and layer: all of them follow from `image_digest`.",
        query=(revision_field.REVISION,),
        answers={200: Answer(description="The image.", model="Download", example=examples.DOWNLOAD)},
        refusals=["validation_error", "pack_not_found", "revision_not_found", "registry_unavailable"],
    ),
    Operation(
        function="get_file",
        method="get",
        path="/packs/{id}/files/{path}",
        tag=_FILES,
        summary="Read a file",
        query=(revision_field.REVISION,),
        answers={
            200: Answer(
                description="Its bytes, under a detected content type.",
                media_type=ANYTHING,
                headers={
                    "ETag": "The digest of the content, in quotes.",
                    "Content-Disposition": "Makes browsers save the file under its name.",
                },
            ),
            302: _ELSEWHERE,
        },
        refusals=[
            "validation_error",
            "pack_not_found",
            "revision_not_found",
            "file_not_found",
            "registry_unavailable",
        ],
    ),
    Operation(
        function="put_file",
        method="put",
        path="/packs/{id}/files/{path}",
        tag=_FILES,
        summary="Write a file",
        description="Builds a new image of the same version. Only for own packs of tier `community` that were "
        "uploaded or cloned. Without a body, the file is empty. If-Match may name the file's own entity tag instead of "
        "the pack's.",
        query=dry_run.QUERY,
        headers=[IF_MATCH, CREATE_ONLY, SOURCE],
        takes_bytes=True,
        answers={200: _pack("The pack as it is now.", dry_run=True)},
        refusals=[
            "quota_exceeded",
            "pack_not_found",
            "file_not_found",
            "version_taken",
            "scan_blocked",
            *_CHANGED_MEANWHILE,
            "payload_too_large",
            "revision_withdrawn",
            "registry_unavailable",
        ],
        writes=True,
    ),
    Operation(
        function="start_upload",
        method="post",
        path="/packs/uploads",
        tag=_UPLOADS,
        summary="Begin a staged upload",
        description="Answers a form to post the archive to; its arrival starts the build. If-Match is for an upload "
        "with `pack_id`: it is checked at once, and again when the archive is built.",
        query=dry_run.QUERY,
        headers=[IDEMPOTENCY_KEY, IF_MATCH, SOURCE],
        body=UPLOAD_START,
        example={"size_bytes": 104857600},
        answers={
            201: Answer(
                description="The upload and its form.",
                model="StartedUpload",
                example=examples.STARTED_UPLOAD,
            )
        },
        refusals=[*_JSON_FAULTS, "pack_not_found", "pack_deleting", "precondition_failed"],
        writes=True,
    ),
    Operation(
        function="get_upload",
        method="get",
        path="/packs/uploads/{upload_id}",
        tag=_UPLOADS,
        summary="See how far a staged upload is",
        answers={200: Answer(description="The upload.", model="Upload", example=examples.UPLOAD)},
        refusals=["upload_not_found"],
    ),
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
            *_JSON_FAULTS,
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
            *_JSON_FAULTS,
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
            302: _ELSEWHERE,
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
        refusals=[*_JSON_FAULTS, "role_not_found"],
        writes=True,
        scope=WRITE_ROLES,
    ),
    Operation(
        function="keys",
        name="list_keys",
        method="get",
        path="/keys",
        tag=_KEYS,
        summary="List your organisation's API keys",
        description="The newest first, those included that were revoked in the last 30 days or have just expired. A "
        "key for one pack sees the keys for that pack only.",
        query=page_limit.PAGE_QUERY,
        answers={200: Answer(description="A page.", model="KeyPage", example={"keys": [examples.KEY]})},
    ),
    Operation(
        function="keys",
        name="create_key",
        method="post",
        path="/keys",
        tag=_KEYS,
        summary="Make an API key",
        description="The key never allows more than the credential that makes it: its scopes, its pack, its end. The "
        "secret is in this answer and nowhere else. An organisation has at most 100 keys that can be used.",
        headers=[IDEMPOTENCY_KEY],
        body=keys.KEY_REQUEST,
        example={
            "label": "CI of slack-pack",
            "scopes": ["caps:write"],
            "pack_name": "slack",
            "expires_in": 7776000,
        },
        answers={
            201: Answer(
                description="The new key, with its secret.",
                model="IssuedKey",
                example=examples.KEY | {"key": "sk_q3ZbVQ0m3v1kqkJ0hJ8m2yq5o0aQe1b8sWc7xR4tYzA"},
                headers={"Cache-Control": "no-store"},
            )
        },
        refusals=[*_JSON_FAULTS, "already_created", "quota_exceeded"],
        writes=True,
        scope=WRITE_KEYS,
    ),
    Operation(
        function="keys",
        name="revoke_key",
        method="delete",
        path="/keys/{key_id}",
        tag=_KEYS,
        summary="Revoke an API key",
        description="No request can use the key any more. Repeating is safe.",
        answers={200: Answer(description="The revoked key.", model="Key", example=examples.REVOKED_KEY)},
        refusals=["key_not_found"],
        writes=True,
        scope=WRITE_KEYS,
    ),
    *FEED_OPERATIONS,
    *PUBLISHER_OPERATIONS,
    *EVENT_OPERATIONS,
    *WEBHOOK_OPERATIONS,
    *policies.OPERATIONS,
    *SIGNATURE_OPERATIONS,
    *SCAN_OPERATIONS,
    *USAGE_OPERATIONS,
    *OPERATOR_OPERATIONS,
    Operation(
        function="api_docs",
        method="get",
        path="/openapi.json",
        tag=_ABOUT,
        summary="Read this document",
        answers={200: Answer(description="OpenAPI 3.1.", media_type="application/json")},
        signed_in=False,
    ),
    Operation(
        function="api_docs",
        method="get",
        path="/docs",
        tag=_ABOUT,
        summary="Read this document in a browser",
        answers={
            200: Answer(description="A page that loads nothing from elsewhere.", media_type="text/html")
        },
        signed_in=False,
    ),
    Operation(
        function="console",
        method="get",
        path="/console",
        tag=_ABOUT,
        summary="Look around in a browser",
        description="The page asks for a credential, keeps it in the tab, and uses these operations and nothing else.",
        answers={200: Answer(description="The page.", media_type="text/html")},
        signed_in=False,
    ),
    Operation(
        function="console",
        name="console_asset",
        method="get",
        path="/console/assets/{asset}",
        tag=_ABOUT,
        summary="Read a script or a style sheet of that page",
        answers={200: Answer(description="A file that never changes.", media_type="text/javascript")},
        refusals=["route_not_found"],
        signed_in=False,
    ),
)
