"""The lists of an organisation's roles and of a role's history, in requests and answers."""

from typing import Any

from packyard.http.page_limit import with_next
from packyard.operations.list_roles import RolePage
from packyard.packs.role_revision import RoleRevision
from packyard.packs.timestamp import format_timestamp
from packyard.store.cursor import Binding
from packyard.store.cursors import Cursors
from packyard.store.role_lists import RoleHistoryPage


def roles_view(page: RolePage, binding: Binding, cursors: Cursors) -> dict[str, Any]:
    """Return the body of a page of roles; `next_cursor` is absent on the last.

    Raises:
        ServiceUnavailable: It is not the last page, and the secret that signs cursors cannot be read.
    """
    body: dict[str, Any] = {
        "roles": [
            {
                "role_id": listed.role.role_id,
                "revision": listed.role.revision,
                "pack_ids": listed.role.pack_ids,
                "stale": listed.stale,
            }
            for listed in page.roles
        ]
    }
    return with_next(body, page.next_position, cursors, binding)


def role_history_view(page: RoleHistoryPage, binding: Binding, cursors: Cursors) -> dict[str, Any]:
    """Return the body of a page of a role's history; `next_cursor` is absent on the last.

    Raises:
        ServiceUnavailable: As for `roles_view`.
    """
    body: dict[str, Any] = {"revisions": [_revision_view(revision) for revision in page.revisions]}
    return with_next(body, page.next_position, cursors, binding)


def _revision_view(revision: RoleRevision) -> dict[str, Any]:
    view: dict[str, Any] = {
        "revision": revision.number,
        "operation": revision.operation,
        "pack_ids": revision.pack_ids,
        "packs": [
            {name: value for name, value in pin._asdict().items() if value is not None}
            for pin in revision.pins
        ],
        "actor": revision.actor,
        "at": format_timestamp(revision.at),
    }
    return view | ({"accepted_capabilities": dict(revision.accepted)} if revision.accepted else {})
