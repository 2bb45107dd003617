"""What the doors of a role serve, and images that are prepared for them."""

from collections.abc import Callable
from typing import Any, Final

from tests.doors import Doors
from tests.feeds import make as make_feed
from tests.feeds import secret_of
from tests.gateway import Answer
from tests.reliability.deployment import LONG, Deployment

from packyard.operations.feed_watch import FeedWatch
from packyard.store.feed_uses import SHARED_FROM

_ROLE: Final = "writer"
_PACK: Final = "slack"
_ADDRESS: Final = "198.51.100.7"


def served(deployment: Deployment) -> None:
    """Let a role serve a pack whose image is not prepared."""
    assert deployment.service.set_role(_ROLE, [deployment.notes[_PACK]]).status == 200


def pinned_and_prepared(deployment: Deployment) -> None:
    """Let a role serve a pack whose image is prepared."""
    served(deployment)
    asked(deployment)
    assert deployment.prepare(deployment.notes["preparation"])


def asked(deployment: Deployment) -> None:
    """Let a message about the pack's image wait."""
    deployment.preparations.append(Doors(deployment.service).message(deployment.notes[_PACK]))
    deployment.notes["preparation"] = deployment.preparations[-1]


def bundle_asked_for(deployment: Deployment) -> None:
    """Let a message about the role's bundle wait."""
    served(deployment)
    assert read("bundle.tar")(deployment).status == 202
    deployment.collect()
    deployment.notes["preparation"] = deployment.preparations[-1]


def gone(deployment: Deployment) -> None:
    """Let a message about the pack's image wait, which is prepared, and the pack be deleted."""
    asked(deployment)
    assert deployment.prepare(deployment.notes["preparation"])
    deployment.preparations.append(deployment.notes["preparation"])
    assert deployment.service.delete(deployment.notes[_PACK]).status == 200
    deployment.collect()
    deployment.service.clock.advance(LONG)


def prepare(deployment: Deployment) -> Answer:
    """Hand the message that was noted to its consumer."""
    return Answer(200 if deployment.prepare(deployment.notes["preparation"]) else 502, {}, None)


def read(path: str, **query: str) -> Callable[[Deployment], Answer]:
    """Return what reads something below the role."""

    def act(deployment: Deployment) -> Answer:
        found = Doors(deployment.service).get(path, role=_ROLE, query=query)
        return Answer(found.status, found.headers, None)

    return act


def call(method: str, **params: Any) -> Callable[[Deployment], Answer]:
    """Return what sends a request of MCP."""

    def act(deployment: Deployment) -> Answer:
        found = Doors(deployment.service).send(method, role=_ROLE, **params)
        return Answer(found.status, found.headers, None)

    return act


def fed(deployment: Deployment) -> None:
    """Let a role be served by a feed that has been used from all networks but one that make it a shared one."""
    pinned_and_prepared(deployment)
    made = make_feed(deployment.service, role_id=_ROLE)
    assert made.status == 201, made.body
    deployment.notes["address"] = secret_of(made)
    services = deployment.service.services
    feed = services.feed_reader.find(deployment.notes["address"])
    watch = FeedWatch(uses=services.feed_uses, clock=services.clock)
    for number in range(SHARED_FROM - 1):
        watch.note(feed, f"10.0.{number}.1")


def read_feed(path: str) -> Callable[[Deployment], Answer]:
    """Return what reads something below the feed, from one more network."""

    def act(deployment: Deployment) -> Answer:
        found = Doors(deployment.service).get(path, feed=deployment.notes["address"], address=_ADDRESS)
        return Answer(found.status, found.headers, None)

    return act


def call_feed(method: str) -> Callable[[Deployment], Answer]:
    """Return what sends a request of MCP below the feed, from one more network."""

    def act(deployment: Deployment) -> Answer:
        feed = deployment.notes["address"]
        found = Doors(deployment.service).send(method, feed=feed, address=_ADDRESS)
        return Answer(found.status, found.headers, None)

    return act
