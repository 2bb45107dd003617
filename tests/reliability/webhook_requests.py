"""What clients, the table's stream and the queues of deliveries ask for about webhooks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from tests.aws import DELIVERY_QUEUES, queue_url
from tests.gateway import Answer
from tests.reliability.deployment import Deployment
from tests.service import ACME
from tests.webhooks import event_record

from packyard.messaging.delivery_queue import BusMessage, message_body
from packyard.store.table import Query
from packyard.store.wire import to_wire

_FIRST, _RETRIES, _ = map(queue_url, DELIVERY_QUEUES)
_BODY: Final = {"types": ["webhook.updated"], "description": "told of everything"}


def make(headers: Mapping[str, str] = {}) -> Callable[[Deployment], Answer]:
    """Return what makes a webhook, whose receiver is at the registry that others run: it answers 202 there."""
    return lambda deployment: deployment.service.send(
        "webhooks", "POST", "/webhooks", json={"url": receiver(deployment), **_BODY}, headers=dict(headers)
    )


def keep(deployment: Deployment) -> None:
    """Make a webhook, and note its id."""
    answer = make()(deployment)
    assert answer.status == 201, answer.body
    deployment.notes["webhook"] = answer.body["id"]


def of_webhook(
    method: str,
    tail: str = "",
    *,
    headers: Mapping[str, str] = {},
    **more: Any,
) -> Callable[[Deployment], Answer]:
    """Return what asks for something of the webhook that was kept."""
    return lambda deployment: deployment.service.send(
        "webhooks", method, f"/webhooks/{deployment.notes['webhook']}{tail}", headers=dict(headers), **more
    )


def change(text: str, if_match: str | None = None) -> Callable[[Deployment], Answer]:
    """Return what changes the description of the webhook that was kept."""
    headers = {} if if_match is None else {"If-Match": if_match}
    return of_webhook("PATCH", headers=headers, json={"description": text})


def ask_for(tail: str) -> Callable[[Deployment], Answer]:
    """Return what asks for a delivery to the webhook that was kept."""

    def act(deployment: Deployment) -> Answer:
        path = f"/webhooks/{deployment.notes['webhook']}/{tail.format(**deployment.notes)}"
        return deployment.service.send("webhook_deliveries", "POST", path)

    return act


def told(deployment: Deployment) -> None:
    """Keep a webhook and change it twice, which are two events that the webhook asks for."""
    keep(deployment)
    for text in ("another text", "a third one"):
        answer = change(text)(deployment)
        assert answer.status == 200, answer.body
    _note_events(deployment)


def on_its_way(deployment: Deployment) -> None:
    """Let two events be on their way to a webhook."""
    told(deployment)
    assert fan_out(deployment).status == 200
    deployment.notes["batch"] = _take_own(deployment, _FIRST)


def on_its_way_to_nowhere(deployment: Deployment) -> None:
    """Let three events be on their way to a webhook whose receiver answers 404."""
    told(deployment)
    nowhere = of_webhook("PATCH", json={"url": f"http://127.0.0.1:{deployment.elsewhere.port}/nowhere"})
    assert nowhere(deployment).status == 200
    _note_events(deployment)
    assert fan_out(deployment).status == 200
    deployment.notes["batch"] = _take_own(deployment, _FIRST)


def failed_once(deployment: Deployment) -> None:
    """Let an event have failed to arrive."""
    on_its_way_to_nowhere(deployment)
    assert deliver(deployment).status == 200
    deployment.notes["message"] = _take_own(deployment, _RETRIES)[0]


def delivered(deployment: Deployment) -> None:
    """Let an event have arrived."""
    on_its_way(deployment)
    assert deliver(deployment).status == 200
    deployment.notes["delivery"] = _events(deployment)[-1]["SK"]["S"]


def fan_out(deployment: Deployment) -> Answer:
    """Let the table's stream tell of the events of the webhook that were noted."""
    records = {"Records": deployment.notes["records"]}
    failed = deployment.service.invoke("fan_out", records)["batchItemFailures"]
    return Answer(502 if failed else 200, {}, None)


def deliver(deployment: Deployment) -> Answer:
    """Deliver the messages that were noted."""
    return _hand("deliver", deployment, deployment.notes["batch"])


def retry(deployment: Deployment) -> Answer:
    """Deliver the message of the retry queue that was noted. It stays until it has arrived, or is given up."""
    return _hand("retry_delivery", deployment, [deployment.notes["message"]])


def bus_message(bus: str) -> str:
    """Return a message about an event that the event bus has not taken."""
    entry = {
        "EventBusName": bus,
        "Source": "packyard",
        "DetailType": "pack.created",
        "Detail": "{}",
        "Time": 0,
    }
    return message_body(BusMessage(entry=entry))


def _hand(function: str, deployment: Deployment, bodies: Sequence[str]) -> Answer:
    records = [
        {"messageId": str(number), "body": body, "eventSource": "aws:sqs", "attributes": {}}
        for number, body in enumerate(bodies)
    ]
    failed = deployment.service.invoke(function, {"Records": records})["batchItemFailures"]
    held = function == "retry_delivery"
    return Answer(200 if held or not failed else 502, {}, None)


def _note_events(deployment: Deployment) -> None:
    deployment.notes["records"] = [event_record(item) for item in _events(deployment)]


def _events(deployment: Deployment) -> list[dict[str, Any]]:
    query = Query(condition="PK = :events", values={":events": f"EVENTS#{ACME.org_id}"})
    items = deployment.service.aws.table.query(query).items
    return [to_wire(item) for item in items if item["type"].startswith("webhook.")]


def take_first(deployment: Deployment) -> None:
    """Note the messages for the webhook that are in the first queue."""
    deployment.notes["batch"] = _take_own(deployment, _FIRST)


def _take_own(deployment: Deployment, url: str) -> list[str]:
    """Take the messages of a queue, and return those for the webhook that was kept."""
    webhook = deployment.notes["webhook"]
    return [body for body in _take(deployment, url) if f'"webhook_id":"{webhook}"' in body]


def _take(deployment: Deployment, url: str) -> list[str]:
    sqs, bodies = deployment.service.aws.sqs, []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            bodies.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return bodies


def receiver(deployment: Deployment) -> str:
    """Return a URL that answers 202 to POST: the registry that others run begins an upload there."""
    return f"http://127.0.0.1:{deployment.elsewhere.port}/v2/team/jira/blobs/uploads/"
