"""Revision histories in answers."""

from typing import Any

from packyard.http.page_limit import with_next
from packyard.packs.image_state import ImageState, shown_status
from packyard.packs.revision import Revision
from packyard.packs.timestamp import format_timestamp
from packyard.store.cursor import Binding
from packyard.store.cursors import Cursors
from packyard.store.history import HistoryPage


def history_view(page: HistoryPage, binding: Binding, cursors: Cursors) -> dict[str, Any]:
    """Return the body of a page; `next_cursor` is absent on the last.

    Raises:
        ServiceUnavailable: It is not the last page, and the secret that signs cursors cannot be read.
    """
    body: dict[str, Any] = {"revisions": [revision_view(revision) for revision in page.revisions]}
    return with_next(body, page.next_position, cursors, binding)


def revision_view(revision: Revision) -> dict[str, Any]:
    """Return an entry of a history with the status of its image, for the organisation that owns the pack."""
    content = {} if revision.content_digest is None else {"content_digest": revision.content_digest}
    return {
        **content,
        "revision": revision.number,
        "operation": revision.operation,
        "version": revision.version,
        "image_digest": revision.image_digest,
        "actor": revision.actor,
        "at": format_timestamp(revision.at),
        "status": shown_status(revision.state).value,
        **_withdrawal(revision.state),
    }


def _withdrawal(state: ImageState | None) -> dict[str, Any]:
    """Return why, by whom and when an image was withdrawn; nothing for one that is not."""
    if state is None or state.withdrawal is None:
        return {}
    about = state.withdrawal
    return {
        "withdrawal": {
            "reason": about.reason,
            "by": about.by,
            "at": format_timestamp(about.at),
        }
    }
