"""Answers that several operations have."""

from typing import Final

from api import examples
from api.operation import Answer

_ETAG: Final = {"ETag": "Your own pack's revision, in quotes: what If-Match takes."}
ELSEWHERE: Final = Answer(
    description="Too large for one answer: Location has a short-lived URL of it.",
    media_type=None,
    headers={"Location": "A short-lived URL."},
)


def pack_answer(description: str, *, dry_run: bool = False, sent: bool = False) -> Answer:
    """Return the answer that is a pack.

    Args:
        description: When it is given.
        dry_run: Whether a dry run has the same status.
        sent: Whether something was sent for the pack, so that the answer may have warnings of it.
    """
    tried = " With `dry_run=true`: what would come of the request." if dry_run else ""
    return Answer(
        description=description + tried,
        model="SentPack" if sent or dry_run else "Pack",
        example=examples.PACK,
        headers=_ETAG,
        dry_run=dry_run,
    )
