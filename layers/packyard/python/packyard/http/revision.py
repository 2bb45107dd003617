"""One revision of a pack in answers."""

from typing import Any

from packyard.http.views import pack_view
from packyard.operations.pack_at import PackRevision
from packyard.tenants.caller import Caller


def revision_view(found: PackRevision, caller: Caller) -> dict[str, Any]:
    """Return the Pack object as of a revision, and what its history says of it. The actor is for its owner alone."""
    pack = found.pack
    view = pack_view(pack, caller)
    # That is of the present image; GET /packs/{id}/attestations reads the statements about any.
    del view["attestations"]
    view |= {
        "revision": found.entry.number,
        "operation": found.entry.operation,
        "status": found.status,
    }
    return view | ({"actor": found.entry.actor} if pack.org_id == caller.org_id else {})
