"""What the service answers about taking revisions back, as types."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict


class DeletedRevision(TypedDict):
    """A revision whose content is gone."""

    status: Literal["deleted"]
    also_in: Annotated[
        list[int],
        Field(
            description="Revisions that hold a file of the same content, the newest first, of those that were compared."
        ),
    ]
    not_compared: NotRequired[
        Annotated[int, Field(ge=1, description="How many revisions were not compared; absent for none.")]
    ]
    clones: Annotated[
        int, Field(ge=0, description="How many clones of the image have been made; they keep its content.")
    ]


class Retention(TypedDict):
    """What is kept of a pack."""

    keep: Annotated[
        int | None, Field(ge=1, description="How many of the newest revisions are kept; null for all.")
    ]


MODELS = (DeletedRevision, Retention)
