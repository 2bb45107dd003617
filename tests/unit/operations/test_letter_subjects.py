"""What a dead letter is about, in words."""

import json
from datetime import UTC, datetime

import pytest

from packyard.messaging import attestation_queue, delivery_queue, preparation_queue
from packyard.messaging.attestation_queue import ImageToAttest
from packyard.messaging.delivery_queue import BusMessage, WebhookMessage
from packyard.messaging.preparation_queue import BundleToMake, ImageToPrepare
from packyard.oci.digest import Digest
from packyard.operations.letter_subjects import subject_of
from packyard.storage.staging import arrival_of

AT = datetime(2026, 3, 1, tzinfo=UTC)
PACK = "pack_01HZ0000000000000000000001"
UPLOAD = "upl_01HZ0000000000000000000001"
ORG = "org_01hzacme0000000000000000aa"
DIGEST = Digest(f"sha256:{'a' * 64}")
# Of what a message holds beside kinds, ids and names, nothing may be told.
SECRET = "hush"


def cleanup(**fields: object) -> str:
    return json.dumps({**fields, "due_at": "2026-03-01T00:00:00Z"})


SUBJECTS = {
    "an image": (
        "cleanup",
        cleanup(
            kind="orphan_image", repository=f"packs/{ORG}/slack", digests=[DIGEST], org_id=ORG, name="slack"
        ),
        f"Remove an image of slack of {ORG}, unless a pack uses it.",
    ),
    "an archive": (
        "cleanup",
        cleanup(kind="staged_archive", key="inline/01HZ0000000000000000000001.tar.gz"),
        "Remove a staged archive.",
    ),
    "a pack": (
        "cleanup",
        cleanup(kind="pack_deletion", pack_id=PACK),
        f"Finish the deletion of {PACK}.",
    ),
    "a revision": (
        "cleanup",
        cleanup(kind="revision_deletion", pack_id=PACK, digest=DIGEST),
        f"Finish the deletion of an image of {PACK}.",
    ),
    "retention": (
        "cleanup",
        cleanup(kind="retention_sweep", pack_id=PACK),
        f"Delete old revisions of {PACK}.",
    ),
    "a build": ("build", arrival_of(UPLOAD), f"Build the archive of {UPLOAD}."),
    "statements": (
        "attestation",
        attestation_queue.message_body(
            ImageToAttest(pack_id=PACK, revision=3, digest=DIGEST, ci={"sub": SECRET}, source=SECRET)
        ),
        f"Make statements about revision 3 of {PACK}.",
    ),
    "doors": (
        "preparation",
        preparation_queue.message_body(ImageToPrepare(pack_id=PACK, revision=3, digest=DIGEST)),
        f"Prepare revision 3 of {PACK} for the doors.",
    ),
    "a bundle": (
        "preparation",
        preparation_queue.bundle_body(
            BundleToMake(org_id=ORG, org_slug="acme", role_id="support", tag=SECRET)
        ),
        "Make the bundle of the role support of acme.",
    ),
    "a webhook": (
        "delivery",
        delivery_queue.message_body(
            WebhookMessage(
                org_id=ORG,
                webhook_id="whk_1",
                event_id="01HZ",
                type="pack.created",
                payload=SECRET,
                thing=SECRET,
                first_at=AT,
            )
        ),
        f"Tell the webhook whk_1 of {ORG} of pack.created, event 01HZ.",
    ),
    "the bus": (
        "delivery",
        delivery_queue.message_body(BusMessage(entry={"Detail": SECRET})),
        "Put an event on the event bus.",
    ),
}


@pytest.mark.parametrize(("queue", "body", "told"), SUBJECTS.values(), ids=SUBJECTS)
def test_a_letter_is_told_by_its_kind_and_its_ids(queue: str, body: str, told: str) -> None:
    assert subject_of(queue, body) == told


@pytest.mark.parametrize("queue", ["attestation", "build", "cleanup", "delivery", "preparation", "another"])
@pytest.mark.parametrize("body", ["", "{", "null", "[]", "1", '{"kind": "webhook"}', "[" * 100_000])
def test_what_nobody_of_ours_has_written_is_said_to_be_unreadable(queue: str, body: str) -> None:
    assert subject_of(queue, body) == "A message that this release cannot read."
