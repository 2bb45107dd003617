"""What clients ask for about feeds, and with the secret of one."""

from collections.abc import Callable, Mapping

from tests import feeds
from tests.door import DoorClient
from tests.gateway import Answer
from tests.reliability.deployment import Deployment

from packyard.operations.feed_watch import FeedWatch
from packyard.store.feed_uses import SHARED_FROM


def make(headers: Mapping[str, str] | None = None) -> Callable[[Deployment], Answer]:
    """Return what makes a feed of packs."""
    return lambda deployment: deployment.service.send(
        "feeds",
        "POST",
        feeds.PATH,
        json={"pack_ids": [deployment.notes["slack"]]},
        headers=dict(headers or {}),
    )


def keep(deployment: Deployment) -> None:
    """Make a feed, and let it have been used from all networks but one that make it a shared one."""
    answer = make()(deployment)
    assert answer.status == 201, answer.body
    deployment.notes |= {"feed": answer.body["id"], "address": feeds.secret_of(answer)}
    services = deployment.service.services
    feed = services.feed_reader.find(deployment.notes["address"])
    watch = FeedWatch(uses=services.feed_uses, clock=services.clock)
    for number in range(SHARED_FROM - 1):
        watch.note(feed, f"10.0.{number}.1")


def remove(deployment: Deployment) -> Answer:
    """Remove the feed that was kept."""
    return feeds.remove(deployment.service, deployment.notes["feed"])


def log_in(deployment: Deployment) -> Answer:
    """Log in at the distribution door, from one more network."""
    answer = DoorClient(service=deployment.service).token("feed", deployment.notes["address"])
    return Answer(answer.status, {}, None)
