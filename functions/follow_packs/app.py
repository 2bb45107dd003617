"""The consumer of the table's stream: moves pins, tells roles of stale and withdrawn ones, keeps the index of words."""

from packyard.composition import bootstrap
from packyard.messaging.table_changes import (
    Change,
    ImageChanged,
    PinFollows,
    PolicySet,
    RowChanged,
    StateChanged,
    serve_stream,
)
from packyard.store.roles import FollowingRole
from packyard.store.search_index import index_row
from packyard.store.wire import from_wire


def follow(change: Change) -> None:
    """Handle one change of the table."""
    services = bootstrap.services()
    match change:
        case RowChanged():
            index_row(services.table, from_wire(change.old), from_wire(change.new))
        case ImageChanged():
            services.follower.pack_changed(change.pack_id)
            services.role_teller.pack_changed(change.pack_id)
            if not change.keeps_all:
                services.enqueue_sweep(change.pack_id)
        case PolicySet():
            services.enqueue_sweep(change.pack_id)
        case PinFollows():
            services.follower.move(FollowingRole(change.org_id, change.role_id), change.pack_id)
        case StateChanged():
            services.role_teller.image_changed(change.pack_id, change.digest)


bootstrap.prepare(lambda services: (services.follower, services.role_teller))
lambda_handler = serve_stream(follow, begins=bootstrap.invocation_begins)
