"""The doors of a running service: what AWS does to have images prepared, and what clients send."""

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from tests.aws import BUCKET, PREPARATION_QUEUE, queue_url
from tests.gateway import Answer, Request
from tests.service import ACME, Service

from packyard.messaging.preparation_queue import ImageToPrepare, message_body
from packyard.tenants.caller import Caller

_URL: Final = queue_url(PREPARATION_QUEUE)


@dataclass(frozen=True)
class DoorAnswer:
    """What a door answered.

    Attributes:
        text: The body as it was sent.
    """

    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> Any:
        """The body, if it is JSON."""
        return json.loads(self.text)


@dataclass
class Doors:
    """The doors of a service."""

    service: Service

    def prepare(self, pack_id: str) -> None:
        """Have the present image of a pack prepared."""
        assert self.settle([self.message(pack_id)]) == []

    def message(self, pack_id: str) -> str:
        """Return the message about the present image of a pack."""
        pack = self.service.services.packs.get(pack_id)
        assert pack is not None
        return message_body(ImageToPrepare(pack_id=pack.id, revision=pack.revision, digest=pack.image_digest))

    def settle(self, bodies: list[str]) -> list[str]:
        """Hand messages to `prepare_artifacts`, and return those that stay in the queue."""
        return [body for body in bodies if not prepared(self.service, body)]

    def take(self) -> list[str]:
        """Take the messages off the queue."""
        sqs = self.service.aws.sqs
        bodies: list[str] = []
        while found := sqs.receive_message(QueueUrl=_URL, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                sqs.delete_message(QueueUrl=_URL, ReceiptHandle=message["ReceiptHandle"])
                bodies.append(message["Body"])
        return bodies

    def kept(self) -> list[str]:
        """Return the keys of what the bucket has for the doors."""
        listed = self.service.aws.s3.list_objects_v2(Bucket=BUCKET, Prefix="doors/").get("Contents", [])
        return sorted(found["Key"] for found in listed)

    def get(
        self,
        path: str,
        *,
        role: str = "support",
        caller: Caller = ACME,
        query: dict[str, str] | None = None,
        etag: str = "",
        feed: str | None = None,
        address: str = "",
    ) -> DoorAnswer:
        """Send a GET below a role, or below a feed, to the function that the template sends it to."""
        request = Request(
            method="GET",
            resource="/f/{secret}/{path+}" if feed else "/doors/roles/{role_id}/{path+}",
            path=f"{_base(role, feed)}/{path}",
            query=query or {},
            headers={"If-None-Match": etag} if etag else {},
            caller=None if feed else caller,
        )
        return self._answered(function_of(path), request, address)

    def call(
        self,
        method: str,
        *,
        caller: Caller = ACME,
        role: str = "support",
        feed: str | None = None,
        **params: Any,
    ) -> Any:
        """Send a request of MCP, and return the answer of JSON-RPC."""
        answer = self.send(method, caller=caller, role=role, feed=feed, **params)
        assert answer.status == 200
        return answer.body

    def send(
        self,
        method: str,
        *,
        caller: Caller = ACME,
        role: str = "support",
        feed: str | None = None,
        address: str = "",
        **params: Any,
    ) -> DoorAnswer:
        """Send a request of MCP, and return what comes back."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        return self.post(body, caller=caller, role=role, feed=feed, address=address)

    def post(
        self,
        body: bytes,
        *,
        caller: Caller = ACME,
        role: str = "support",
        feed: str | None = None,
        address: str = "",
    ) -> DoorAnswer:
        """Send bytes to the MCP door."""
        path = f"{_base(role, feed)}/mcp"
        request = Request(method="POST", resource=path, path=path, body=body, caller=None if feed else caller)
        return self._answered("door_mcp", request, address)

    def download(self, answer: DoorAnswer) -> bytes:
        """Return the object that a redirect leads to."""
        assert answer.status == 302, answer
        key = urlsplit(answer.headers["Location"]).path.removeprefix(f"/{BUCKET}").lstrip("/")
        return self.service.aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def _answered(self, function: str, request: Request, address: str) -> DoorAnswer:
        event = request.event()
        if address:
            event["requestContext"]["identity"] = {"sourceIp": address}
        raw = self.service.invoke(function, event)
        headers = {name: values[0] for name, values in raw["multiValueHeaders"].items()}
        text = raw["body"] or ""
        if headers.get("Content-Type") == "application/json":
            Answer.of(raw)
        return DoorAnswer(raw["statusCode"], headers, text)


def prepared(service: Service, body: str) -> bool:
    """Hand a message to `prepare_artifacts`, and return whether it is settled."""
    record = {"messageId": "0", "body": body, "eventSource": "aws:sqs", "attributes": {}}
    return not service.invoke("prepare_artifacts", {"Records": [record]})["batchItemFailures"]


def function_of(path: str) -> str:
    """Return the function that the template sends a GET below a role to."""
    if path.startswith("api/"):
        return "door_clawhub"
    return {
        "bundle.tar": "door_bundle",
        "lock.json": "door_bundle",
        "marketplace.json": "door_marketplace",
        "mcp": "door_mcp",
    }.get(path, "door_agent_skills")


def _base(role: str, feed: str | None) -> str:
    return f"/doors/roles/{role}" if feed is None else f"/f/{feed}"
