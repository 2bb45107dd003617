"""The operations on staged uploads; see `api.operations`."""

from collections.abc import Sequence
from typing import Final

from api import examples
from api.operation import JSON_FAULTS, Answer, Operation
from packyard.http import dry_run
from packyard.http.idempotency import IDEMPOTENCY_KEY
from packyard.http.preconditions import IF_MATCH
from packyard.http.source import SOURCE
from packyard.http.uploads import UPLOAD_START

_UPLOADS: Final = "Staged uploads"

UPLOAD_OPERATIONS: Final[Sequence[Operation]] = (
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
        refusals=[*JSON_FAULTS, "pack_not_found", "pack_deleting", "precondition_failed"],
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
)
