"""The roles that reference a pack, in answers."""

from typing import Any

from packyard.http.page_limit import with_next
from packyard.operations.references import References
from packyard.store.cursor import Binding
from packyard.store.cursors import Cursors


def references_view(found: References, binding: Binding, cursors: Cursors) -> dict[str, Any]:
    """Return the body of a page; `others` is for the pack's owner, and `next_cursor` is absent on the last page.

    Raises:
        ServiceUnavailable: It is not the last page, and the secret that signs cursors cannot be read.
    """
    body: dict[str, Any] = {"roles": [role._asdict() for role in found.roles]}
    if found.others is not None:
        body["others"] = found.others
    return with_next(body, found.next_position, cursors, binding)
