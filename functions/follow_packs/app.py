"""The consumer of the table's stream: moves pins that follow, and tells roles of stale and withdrawn ones."""

from packyard.composition import bootstrap
from packyard.messaging.table_changes import Change, ImageChanged, PinFollows, StateChanged, serve_stream
from packyard.store.roles import FollowingRole


def follow(change: Change) -> None:
    """Handle one change of the table."""
    services = bootstrap.services()
    match change:
        case ImageChanged():
            services.follower.pack_changed(change.pack_id)
            services.role_teller.pack_changed(change.pack_id)
        case PinFollows():
            services.follower.move(FollowingRole(change.org_id, change.role_id), change.pack_id)
        case StateChanged():
            services.role_teller.image_changed(change.pack_id, change.digest)


bootstrap.prepare(lambda services: (services.follower, services.role_teller))
lambda_handler = serve_stream(follow, begins=bootstrap.invocation_begins)
