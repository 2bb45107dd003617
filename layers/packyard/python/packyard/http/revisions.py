"""Revision histories in answers."""

from typing import Any

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
    body: dict[str, Any] = {"revisions": [_revision_view(revision) for revision in page.revisions]}
    if page.next_position is not None:
        body["next_cursor"] = cursors.encode(page.next_position, binding)
    return body


def _revision_view(revision: Revision) -> dict[str, Any]:
    content = {} if revision.content_digest is None else {"content_digest": revision.content_digest}
    return {
        **content,
        "revision": revision.number,
        "operation": revision.operation,
        "version": revision.version,
        "image_digest": revision.image_digest,
        "actor": revision.actor,
        "at": format_timestamp(revision.at),
    }
