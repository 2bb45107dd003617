"""The operations that read and write packs' files; see `api.operations`."""

from collections.abc import Sequence
from typing import Final

from api import examples
from api.answers import ELSEWHERE, pack_answer
from api.operation import ANYTHING, CHANGED_MEANWHILE, Answer, Operation
from packyard.http import dry_run, revision_field
from packyard.http.preconditions import CREATE_ONLY, IF_MATCH
from packyard.http.source import SOURCE

_FILES: Final = "Files"

FILE_OPERATIONS: Final[Sequence[Operation]] = (
    Operation(
        function="list_files",
        method="get",
        path="/packs/{id}/files",
        tag=_FILES,
        summary="List a pack's files",
        query=(revision_field.REVISION,),
        answers={
            200: Answer(description="Its files.", model="FileList", example=examples.FILES),
            302: ELSEWHERE,
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
            302: ELSEWHERE,
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
        answers={200: pack_answer("The pack as it is now.", dry_run=True)},
        refusals=[
            "quota_exceeded",
            "pack_not_found",
            "file_not_found",
            "version_taken",
            "scan_blocked",
            *CHANGED_MEANWHILE,
            "payload_too_large",
            "revision_withdrawn",
            "registry_unavailable",
        ],
        writes=True,
    ),
)
