"""The consumer of the table's stream: moves pins that follow their packs, and keeps the index of words."""

from packyard.composition import bootstrap
from packyard.messaging.table_changes import Change, ImageChanged, RowChanged, serve_stream
from packyard.store.roles import FollowingRole
from packyard.store.search_index import index_row
from packyard.store.wire import from_wire


def follow(change: Change) -> None:
    """Handle one change of the table."""
    if isinstance(change, RowChanged):
        index_row(bootstrap.services().table, from_wire(change.old), from_wire(change.new))
        return
    follower = bootstrap.services().follower
    if isinstance(change, ImageChanged):
        follower.pack_changed(change.pack_id)
    else:
        follower.move(FollowingRole(change.org_id, change.role_id), change.pack_id)


bootstrap.prepare(lambda services: services.follower)
lambda_handler = serve_stream(follow, begins=bootstrap.invocation_begins)
