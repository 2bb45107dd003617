"""What stands in the way of operations when an organisation has used up what it may use."""

from collections.abc import Callable

from tests.gateway import Answer
from tests.reliability.deployment import Deployment
from tests.service import ACME, DEADLINE
from tests.staged_uploads import look
from tests.usage import limit, usage

from packyard.packs.usage import Quota


def wait_for_a_turn(key: str) -> Callable[[Deployment], Answer]:
    """Return what delivers the messages of an archive, however often it has been sent again.

    Args:
        key: The note that has the upload's id.
    """

    def act(deployment: Deployment) -> Answer:
        upload_id, _ = deployment.notes[key]
        deployment.collect()
        for body in [body for body in deployment.builds if upload_id in body]:
            deployment.build(body)
        with deployment.wire.tapped():
            upload = look(deployment.service, upload_id)
        return Answer(200 if upload.body["status"] == "done" else 503, {}, upload.body)

    return act


def one_build_at_once(deployment: Deployment) -> None:
    """Let an organisation build one archive at once, while a builder that has died still holds the place."""
    services = deployment.service.services
    now = deployment.service.clock()
    limit(deployment.service, Quota.BUILDS_AT_ONCE, 1)
    services.build_slots.take(ACME.org_id, lease="dead", now=now, until=now + DEADLINE)


def last_place(deployment: Deployment) -> None:
    """Let an organisation have one more pack than it has."""
    limit(deployment.service, Quota.PACKS, usage(deployment.service)["packs"] + 1)
