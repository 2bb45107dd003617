"""Statements in a running service: what AWS does between an event and them."""

from dataclasses import dataclass, field
from typing import Any, Final

from tests.aws import ATTESTATION_QUEUE, TABLE, queue_url
from tests.gateway import Answer
from tests.service import ACME, Service
from tests.webhooks import event_record

from packyard.oci.digest import Digest
from packyard.tenants.caller import Caller

_URL: Final = queue_url(ATTESTATION_QUEUE)


@dataclass
class Attesting:
    """The statements of a service, and what AWS does for them."""

    service: Service
    seen: set[str] = field(default_factory=set)

    def fan_out(self) -> list[str]:
        """Let the table's stream tell of the events that it has not told of yet; return the messages, off the queue."""
        items = self.service.aws.dynamodb.scan(TableName=TABLE)["Items"]
        events = [item for item in items if item["PK"]["S"].startswith("EVENTS#")]
        new: list[Any] = [item for item in events if item["SK"]["S"] not in self.seen]
        self.seen |= {item["SK"]["S"] for item in new}
        if new:
            records = [event_record(item) for item in sorted(new, key=lambda item: str(item["SK"]["S"]))]
            assert self.service.invoke("fan_out", {"Records": records}) == {"batchItemFailures": []}
        return self.take()

    def take(self) -> list[str]:
        """Take the messages off the queue."""
        sqs = self.service.aws.sqs
        bodies: list[str] = []
        while found := sqs.receive_message(QueueUrl=_URL, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                sqs.delete_message(QueueUrl=_URL, ReceiptHandle=message["ReceiptHandle"])
                bodies.append(message["Body"])
        return bodies

    def attest(self, bodies: list[str]) -> list[str]:
        """Let messages be handled, and return those that stay in the queue."""
        left = []
        for body in bodies:
            record = {"messageId": "0", "body": body, "eventSource": "aws:sqs", "attributes": {}}
            if self.service.invoke("attest_image", {"Records": [record]})["batchItemFailures"]:
                left.append(body)
        return left

    def carry(self) -> None:
        """Have statements made about all new images."""
        assert self.attest(self.fan_out()) == []

    def get(self, pack_id: str, caller: Caller = ACME, /, **query: str) -> Answer:
        """Read the statements about a pack's image."""
        path = f"/packs/{pack_id}/attestations"
        return self.service.send("list_attestations", "GET", path, caller=caller, query=query)

    def keys(self) -> Answer:
        """Read the public keys."""
        return self.service.send("signing_keys", "GET", "/.well-known/packyard/keys.json")

    def trusted(self) -> dict[str, str]:
        """Return the public keys as a verifier has them."""
        return {key["id"]: key["pem"] for key in self.keys().body["keys"]}

    def referrers(self, subject: str) -> set[Digest]:
        """Return the digests of the manifests that refer to an image, in any repository."""
        return {
            digest
            for repository in self.service.registry.shelves.repositories.values()
            for digest, manifest in repository.manifests.items()
            if f'"subject":{{"digest":"{subject}"'.encode() in manifest.raw
        }

    def listed(self, subject: str) -> list[str]:
        """Return the tags that list referrers of an image."""
        tag = subject.replace(":", "-")
        return [
            name
            for name, repository in self.service.registry.shelves.repositories.items()
            if tag in repository.tags
        ]
