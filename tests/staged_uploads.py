"""Staged uploads as a client and S3 go about them: a form is asked for, an object arrives, the queue hears of it."""

import json
from typing import Any

from tests.aws import BUCKET
from tests.gateway import Answer
from tests.service import ACME, Service

from packyard.tenants.caller import Caller


def start(
    service: Service,
    caller: Caller = ACME,
    *,
    if_match: str | None = None,
    dry_run: bool = False,
    **fields: Any,
) -> Answer:
    """Ask for a form."""
    headers = {} if if_match is None else {"If-Match": if_match}
    query = {"dry_run": "true"} if dry_run else {}
    return service.send(
        "start_upload", "POST", "/packs/uploads", caller=caller, json=fields, headers=headers, query=query
    )


def look(service: Service, upload_id: str, caller: Caller = ACME) -> Answer:
    """Ask how far an upload is."""
    return service.send("get_upload", "GET", f"/packs/uploads/{upload_id}", caller=caller)


def arrive(service: Service, upload_id: str, archive: bytes) -> str:
    """Put an archive where the form would have put it, and return what S3 tells the build queue."""
    key = f"uploads/{upload_id}.tar.gz"
    service.aws.s3.put_object(Bucket=BUCKET, Key=key, Body=archive)
    return json.dumps({"Records": [{"eventName": "ObjectCreated:Post", "s3": {"object": {"key": key}}}]})


def deliver(service: Service, *messages: str) -> list[str]:
    """Hand messages to `build_upload`, and return the ids of those that it sends back: 0, 1 and so on."""
    records = [
        {"messageId": str(n), "body": body, "eventSource": "aws:sqs", "attributes": {}}
        for n, body in enumerate(messages)
    ]
    answer = service.invoke("build_upload", {"Records": records})
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def upload(service: Service, archive: bytes, **fields: Any) -> Answer:
    """Go the whole way, and return how it ended."""
    upload_id = start(service, **fields).body["upload_id"]
    deliver(service, arrive(service, upload_id, archive))
    return look(service, upload_id)
