"""Statements about images, as the queue of new images asks for them."""

from collections.abc import Callable
from typing import Final

from tests.engine.points import Point
from tests.fake_registry.moods import Refuses
from tests.gateway import Answer
from tests.reliability.deployment import LONG, Deployment
from tests.revisions import delete_revision

from packyard.messaging.attestation_queue import ImageToAttest, message_body

_PACK: Final = "slack"


def published(deployment: Deployment) -> None:
    """Let a message about the pack's image wait."""
    pack = deployment.service.services.packs.get(deployment.notes[_PACK])
    assert pack is not None
    message = ImageToAttest(
        pack_id=pack.id, revision=pack.revision, digest=pack.image_digest, request_id="r-1"
    )
    deployment.images.append(message_body(message))
    deployment.notes["image"] = deployment.images[-1]


def signed(deployment: Deployment) -> None:
    """Let the statements be signed, and the registry not have taken the manifests."""
    published(deployment)
    deployment.service.registry.moods.append(Refuses(method="PUT", path="/manifests/", status=503))
    assert not deployment.attest(deployment.notes["image"])
    deployment.service.registry.moods.clear()


def pushed_too_late(deployment: Deployment) -> None:
    """Let statements about an earlier image be pushed while its revision is deleted, so that one of them stays."""
    service = deployment.service
    pack_id = deployment.notes[_PACK]
    found = service.services.pack_revisions.read_one(pack_id, 1)
    assert found is not None
    assert found.then is not None
    message = ImageToAttest(pack_id=pack_id, revision=1, digest=found.then.image_digest)
    deployment.images.append(message_body(message))
    deployment.notes["image"] = deployment.images[-1]

    def delete() -> None:
        with service.another_process(), deployment.wire.sent_by("the deletion"):
            assert delete_revision(service, pack_id, 1).status == 200

    seen: list[Point] = []

    def before_the_first_manifest(point: Point) -> Callable[[], object] | None:
        if seen or not (point.label.startswith("PUT ") and "/manifests/" in point.label):
            return None
        seen.append(point)
        return delete

    with deployment.wire.tapped(interrupt=before_the_first_manifest):
        assert not deployment.attest(deployment.notes["image"])
    assert seen
    service.clock.advance(LONG)


def attached(deployment: Deployment) -> None:
    """Let the statements be attached."""
    published(deployment)
    assert deployment.attest(deployment.notes["image"])


def attest(deployment: Deployment) -> Answer:
    """Hand the message that was noted to its consumer."""
    return Answer(200 if deployment.attest(deployment.notes["image"]) else 502, {}, None)


def read(deployment: Deployment) -> Answer:
    """Read the statements."""
    path = f"/packs/{deployment.notes[_PACK]}/attestations"
    return deployment.service.send("list_attestations", "GET", path)


def read_keys(deployment: Deployment) -> Answer:
    """Read the public keys."""
    return deployment.service.send("signing_keys", "GET", "/.well-known/packyard/keys.json")
