"""A running service with everything that it talks to, which can be put back into an earlier state.

All of it is in this process: table, bucket and queues under moto, our own registry (Amazon ECR or a plain one), and one
that others run. `save` and `restore` copy their contents, which takes a hundredth of the time that making them takes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from botocore.config import Config
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends
from tests.aws import (
    ATTESTATION_QUEUE,
    BUILD_QUEUE,
    DELIVERY_QUEUES,
    PREPARATION_QUEUE,
    QUEUE,
    REGION,
    delivery_queues_in_memory,
    queue_url,
    session,
)
from tests.contents import Contents
from tests.doors import prepared
from tests.engine.wire import Wire
from tests.fake_registry.ecr import PASSWORD, Ecr, EcrShelves
from tests.fake_registry.flavours import PLAIN
from tests.fake_registry.server import FakeRegistry
from tests.issuer import Issuer, public
from tests.publishers import KEY as CI_KEY
from tests.reliability.invariants import Observed, assert_sound
from tests.service import DEADLINE, Service, numbered_bytes, running_service

# Longer than every deadline and lease, except those of a staged upload that waits for its archive.
LONG: Final = timedelta(minutes=20)
# As long as the build queue hides a message from other consumers, and longer than a build's lease.
HIDDEN: Final = DEADLINE + timedelta(seconds=1)
_ROUNDS: Final = 12
_RECEIVED: Final = 5


@dataclass
class Saved:
    """The contents of a deployment at one time."""

    contents: Contents
    ulids: int
    notes: dict[str, Any]
    inbox: list[str]
    builds: list[str]
    images: list[str]
    preparations: list[str]


@dataclass
class Deployment:
    """A service, what it talks to, and the messages in its queues.

    Attributes:
        elsewhere: A registry that others run.
        issuer: The issuer of a CI system.
        inbox: The messages for `clean_up` that are not settled.
        builds: The messages for `build_upload` that are not settled.
        images: The messages for `attest_image` that are not settled.
        preparations: The messages for `prepare_artifacts` that are not settled.
        notes: What a test has to remember: ids, messages.
    """

    service: Service
    elsewhere: FakeRegistry
    issuer: Issuer
    inbox: list[str] = field(default_factory=list)
    builds: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    preparations: list[str] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)
    ulids: int = 0

    @property
    def wire(self) -> Wire:
        """All that leaves the process."""
        return self.service.wire

    def new_ulid(self) -> str:
        """Return one; the same ones again after a `restore`."""
        self.ulids += 1
        return f"01HZ{self.ulids:022d}"

    def random_bytes(self, size: int) -> bytes:
        """Return what looks random; the same again after a `restore`."""
        self.ulids += 1
        return numbered_bytes(size, self.ulids)

    def save(self) -> Saved:
        """Return a copy of everything as it is now."""
        self.collect()
        return Saved(
            contents=Contents.of(self.service, self.elsewhere),
            ulids=self.ulids,
            notes=dict(self.notes),
            inbox=list(self.inbox),
            builds=list(self.builds),
            images=list(self.images),
            preparations=list(self.preparations),
        )

    def restore(self, saved: Saved) -> None:
        """Put everything back as it was, in a new process."""
        self.collect()
        self.service.bodies.clear()
        saved.contents.put_back(self.service, self.elsewhere)
        self.ulids = saved.ulids
        self.notes = dict(saved.notes)
        self.inbox, self.builds = list(saved.inbox), list(saved.builds)
        self.images = list(saved.images)
        self.preparations = list(saved.preparations)
        for name in (*DELIVERY_QUEUES, ATTESTATION_QUEUE):
            # Nothing waits there in a state that is saved. SQS takes the same messages again, as after five minutes.
            queue = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues[name]
            queue._messages.clear()  # noqa: SLF001 - as in `collect`
            queue.deleted_messages.clear()
        self.wire.renew()
        self.new_process()

    def new_process(self) -> None:
        """Go on in a new process."""
        self.service.new_process()

    def collect(self) -> None:
        """Take what was sent to `clean_up` off its queue, and what waits for its turn off other queues."""
        queues = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues
        taken_from = ((QUEUE, self.inbox), (BUILD_QUEUE, self.builds), (PREPARATION_QUEUE, self.preparations))
        for name, taken in taken_from:
            queue = queues[name]
            taken += [message.body for message in queue._messages]  # noqa: SLF001 - receiving takes more than it tells
            queue._messages.clear()  # noqa: SLF001

    def clean_up(self, body: str) -> bool:
        """Hand a message of the inbox to `clean_up`, and return whether it has not failed: it is settled or held."""
        left = self.service.deliver_bodies([body])
        if not left and body in self.inbox:
            self.inbox.remove(body)
        self.collect()
        return not set(left) - self.service.held

    def build(self, body: str) -> bool:
        """Hand a message to `build_upload`, and return whether it is settled."""
        record = {"messageId": "0", "body": body, "eventSource": "aws:sqs", "attributes": {}}
        settled = not self.service.invoke("build_upload", {"Records": [record]})["batchItemFailures"]
        if settled and body in self.builds:
            self.builds.remove(body)
        self.collect()
        return settled

    def attest(self, body: str) -> bool:
        """Hand a message to `attest_image`, and return whether it is settled."""
        record = {"messageId": "0", "body": body, "eventSource": "aws:sqs", "attributes": {}}
        settled = not self.service.invoke("attest_image", {"Records": [record]})["batchItemFailures"]
        if settled and body in self.images:
            self.images.remove(body)
        return settled

    def prepare(self, body: str) -> bool:
        """Hand a message to `prepare_artifacts`, and return whether it is settled."""
        settled = prepared(self.service, body)
        if settled and body in self.preparations:
            self.preparations.remove(body)
        return settled

    def settle(self) -> Observed:
        """Let time pass and deliver every message until it is settled; then check that everything is in order."""
        first, retries, _ = map(queue_url, DELIVERY_QUEUES)
        for received in range(1, _ROUNDS + 1):
            self.collect()
            self.service.clock.advance(HIDDEN if self.builds else LONG)
            for body in list(self.builds):
                if not self.build(body) and received >= _RECEIVED:
                    self.builds.remove(body)
            for body in list(self.inbox):
                self.clean_up(body)
            for body in list(self.images):
                self.attest(body)
            for body in list(self.preparations):
                self.prepare(body)
            self._work_off("deliver", first)
            self._work_off("retry_delivery", retries)
            if not (self.inbox or self.builds or self.images or self.preparations):
                break
        self.service.clock.advance(LONG)
        return assert_sound(self.service, pending=self.inbox, unattested=self.images, settled=True)

    def _work_off(self, function: str, url: str) -> None:
        """Hand the messages of a queue of deliveries to their consumer; what stays comes again the next time."""
        # Asking an empty queue takes as long as all that this looks at.
        if not sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues[url.rpartition("/")[2]]._messages:  # noqa: SLF001
            return
        sqs = self.service.aws.sqs
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            record = {"messageId": "0", "body": message["Body"], "eventSource": "aws:sqs", "attributes": {}}
            if self.service.invoke(function, {"Records": [record]})["batchItemFailures"]:
                sqs.send_message(QueueUrl=url, MessageBody=message["Body"], MessageGroupId="left")

    def check(self) -> Observed:
        """Check what must hold at any instant."""
        self.collect()
        return assert_sound(self.service, pending=self.inbox, unattested=self.images)


@contextmanager
def running_deployment(*, ecr: bool = True) -> Iterator[Deployment]:
    """Run an empty deployment whose own registry is Amazon ECR, or one that speaks the distribution API only."""
    with (
        running_service(scans=True) as service,
        FakeRegistry() as elsewhere,
        Issuer(keys=[public(CI_KEY)]) as issuer,
    ):
        if ecr:
            service.registry.shelves = EcrShelves()
            service.registry.basic = PASSWORD
            # ECR lists referrers; other registries are told by a tag.
            service.registry.flavour = replace(PLAIN, lists_referrers=True)
        wire = service.wire
        wire.clients["ecr"] = session().client("ecr", config=Config(retries={"mode": "standard"}))
        # The credentials of a role's session have clients of their own.
        wire.clients["ecr of a session"] = session().client(
            "ecr", config=Config(retries={"mode": "standard"})
        )
        wire.clients["sts"] = session().client("sts", config=Config(retries={"mode": "standard"}))
        wire.clients["secretsmanager"] = service.services.client("secretsmanager")
        wire.clients["events"] = session().client("events", config=Config(retries={"mode": "standard"}))
        wire.clients["kms"] = service.services.client("kms")
        delivery_queues_in_memory(service.aws.sqs)
        wire.servers["ecr"] = Ecr(shelves=lambda: service.registry.shelves, clock=service.clock)
        deployment = Deployment(service, elsewhere, issuer)
        settings = service.services.settings
        service.new_process(
            client=wire.clients.__getitem__,
            session_client=lambda service, _session: wire.clients[f"{service} of a session"],
            new_ulid=deployment.new_ulid,
            random_bytes=deployment.random_bytes,
            settings=replace(settings, registry_kind="ecr") if ecr else settings,
        )
        with wire.laid():
            yield deployment
