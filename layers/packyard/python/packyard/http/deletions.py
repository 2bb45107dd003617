"""Paths to delete in requests: those of a form of changes, and those of a staged upload."""

from typing import Final

from packyard.http.fields import Field
from packyard.packs.file_changes import MAX_DELETIONS

DELETE: Final = Field(
    name="delete",
    kind="array",
    items=Field(name="path", min_length=1, example="guides/old.md"),
    max_items=MAX_DELETIONS,
    description="The paths to delete. One that ends in `/` is a folder, with everything in it.",
)


def parse_deletions(given: object, faults: dict[str, str]) -> tuple[str, ...]:
    """Return the paths that a JSON list holds. Add to `faults` under `delete` when it is no such list."""
    if (
        isinstance(given, list)
        and len(given) <= MAX_DELETIONS
        and all(isinstance(path, str) for path in given)
    ):
        return tuple(given)
    faults[DELETE.name] = (
        f'must be a list of at most {MAX_DELETIONS} paths, as in ["guides/old.md", "data/"]; a folder, with a slash '
        "at its end, stands for all its files"
    )
    return ()
