"""What the operations on staged uploads answer, as types; see `api.models`."""

from datetime import datetime
from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

from api.dry_run_models import DryRun
from api.error_models import ErrorBody
from api.models import PackId, UploadId, Warnings
from packyard.packs.upload import UploadStatus


class Upload(TypedDict):
    """A staged upload and how far it is."""

    upload_id: UploadId
    status: UploadStatus
    pack_id: NotRequired[Annotated[PackId, Field(description="The pack that it is for, or has become.")]]
    error: NotRequired[Annotated[ErrorBody, Field(description="Why it failed.")]]
    expires_at: Annotated[datetime, Field(description="Until when the status can last.")]
    dry_run: NotRequired[Annotated[bool, Field(description="Whether the archive is only tried.")]]
    outcome: NotRequired[Annotated[DryRun, Field(description="What a dry run has found, when it is done.")]]
    warnings: NotRequired[Warnings]


class StartedUpload(Upload):
    """A staged upload that awaits its archive: post `fields`, then the archive as `file`, to `url`."""

    url: Annotated[str, Field(json_schema_extra={"format": "uri"})]
    fields: Annotated[
        dict[str, str], Field(description="Form fields, all of them as they are; the file comes last.")
    ]
    max_bytes: Annotated[int, Field(ge=1, description="The largest archive.")]


MODELS: tuple[Any, ...] = (
    Upload,
    StartedUpload,
)
