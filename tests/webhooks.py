"""Webhooks of a running service: a receiver, and what AWS does between an event and its delivery."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from tests.aws import DELIVERY_QUEUES, TABLE, delivery_queues_in_memory, queue_url
from tests.gateway import Answer, Request
from tests.service import ACME, Service

from packyard.store.wire import from_wire
from packyard.tenants.caller import Caller

_FIRST, _RETRIES, _DEAD_LETTERS = map(queue_url, DELIVERY_QUEUES)
_BATCH: Final = 10


@dataclass(frozen=True, kw_only=True)
class Received:
    """A request that a receiver has got."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server that takes webhooks, and answers what a test wants.

    Attributes:
        statuses: What it answers next; 204 when there is nothing left.
        answer_headers: What it adds to its answers.
    """

    url: str
    got: list[Received] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    answer_headers: dict[str, str] = field(default_factory=dict)


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """Run a receiver on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append(Received(path=self.path, headers=dict(self.headers.items()), body=body))
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
            for name, value in receiver.answer_headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/hooks")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Hooks:
    """The webhooks of a service, and what AWS does for them."""

    service: Service
    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Make the queues."""
        delivery_queues_in_memory(self.service.aws.sqs)

    def send(
        self, method: str, path: str = "", *, caller: Caller = ACME, function: str = "webhooks", **more: Any
    ) -> Answer:
        """Send a request about webhooks; `path` is what follows `/webhooks`."""
        return self.service.send(function, method, f"/webhooks{path}", caller=caller, **more)

    def add(self, url: str, caller: Caller = ACME, **body: object) -> Answer:
        """Make a webhook."""
        answer = self.send("POST", caller=caller, json={"url": url, **body})
        assert answer.status == 201, answer.body
        return answer

    def get(self, webhook_id: str, caller: Caller = ACME) -> Answer:
        """Read a webhook."""
        return self.send("GET", f"/{webhook_id}", caller=caller)

    def deliveries(self, webhook_id: str, caller: Caller = ACME, **query: str) -> list[dict[str, Any]]:
        """List the deliveries to a webhook."""
        answer = self.of_deliveries("GET", f"/{webhook_id}/deliveries", caller=caller, query=query)
        assert answer.status == 200, answer.body
        listed: list[dict[str, Any]] = answer.body["deliveries"]
        return listed

    def of_deliveries(self, method: str, path: str, *, caller: Caller = ACME, **more: Any) -> Answer:
        """Send a request about the deliveries to a webhook."""
        return self.send(method, path, caller=caller, function="webhook_deliveries", **more)

    def events(self) -> list[dict[str, Any]]:
        """Return the items of all events, in DynamoDB's own form and in the order of their ids."""
        items = self.service.aws.dynamodb.scan(TableName=TABLE)["Items"]
        events: list[dict[str, Any]] = [item for item in items if item["PK"]["S"].startswith("EVENTS#")]
        return sorted(events, key=lambda item: str(item["SK"]["S"]))

    def told(self, event_type: str) -> list[dict[str, Any]]:
        """Return the events of a type, as plain items."""
        return [from_wire(item) for item in self.events() if item["type"]["S"] == event_type]

    def fan_out(self) -> None:
        """Let the table's stream tell of the events that it has not told of yet."""
        new = [item for item in self.events() if item["SK"]["S"] not in self.seen]
        if new:
            self.seen |= {item["SK"]["S"] for item in new}
            assert self.service.invoke("fan_out", {"Records": [event_record(item) for item in new]}) == {
                "batchItemFailures": []
            }

    def messages(self) -> list[dict[str, Any]]:
        """Take the messages of the first queue, as Lambda passes them on, after the stream has told of new events."""
        self.fan_out()
        return _records(self._take(_FIRST), _FIRST)

    def deliver(self) -> None:
        """Let the messages of the first queue be handled."""
        self._work_off("deliver", _FIRST)

    def retry(self) -> None:
        """Let the messages of the retry queue be handled once; what is left there comes again the next time."""
        left = self._work_off("retry_delivery", _RETRIES)
        for body in left:
            self.service.aws.sqs.send_message(QueueUrl=_RETRIES, MessageBody=body, MessageGroupId="g")

    def carry(self) -> None:
        """Carry events to their receivers."""
        self.fan_out()
        self.deliver()

    def dead_letters(self) -> list[str]:
        """Take the dead letters."""
        return [message["Body"] for message in self._take(_DEAD_LETTERS)]

    def waiting(self) -> int:
        """Return how many messages are in the retry queue."""
        attributes = self.service.aws.sqs.get_queue_attributes(QueueUrl=_RETRIES, AttributeNames=["All"])
        return int(attributes["Attributes"]["ApproximateNumberOfMessages"])

    def _work_off(self, function: str, url: str) -> list[str]:
        left: list[str] = []
        while messages := self._take(url):
            failed = self.service.invoke(function, {"Records": _records(messages, url)})["batchItemFailures"]
            ids = {failure["itemIdentifier"] for failure in failed}
            left += [message["Body"] for message in messages if message["MessageId"] in ids]
        return left

    def _take(self, url: str) -> list[Any]:
        sqs = self.service.aws.sqs
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=_BATCH).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return messages


def _records(messages: list[Any], url: str) -> list[dict[str, Any]]:
    return [
        {
            "messageId": message["MessageId"],
            "body": message["Body"],
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:eu-central-1:123456789012:{url.rpartition('/')[2]}",
            "attributes": {},
        }
        for message in messages
    ]


def event_record(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record of the table's stream about a new event, as Lambda passes it on."""
    return {
        "eventID": item["SK"]["S"],
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {"PK": item["PK"], "SK": item["SK"]},
            "SequenceNumber": item["SK"]["S"],
            "NewImage": dict(item),
        },
    }


def request_event(method: str, path: str, caller: Caller = ACME) -> dict[str, Any]:
    """Return the gateway's event of a request without a body."""
    return Request(method=method, resource=path, path=path, caller=caller).event()
