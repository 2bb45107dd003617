"""Requests about one revision of a pack, and packs with several of them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.engine.taps import Before, PointName
from tests.gateway import Answer, Request, multipart
from tests.service import ACME, PackArchive, Service

from packyard.store.table import Query
from packyard.tenants.caller import Caller

REASON: Final = "It has a password."


def withdraw(
    service: Service,
    pack_id: str,
    revision: object,
    *,
    reason: object = REASON,
    caller: Caller = ACME,
    if_match: str | None = None,
) -> Answer:
    """Withdraw a revision."""
    headers = {"If-Match": if_match} if if_match else {}
    return service.send(
        "withdraw_revision",
        "POST",
        _path(pack_id, revision),
        caller=caller,
        json={"reason": reason},
        headers=headers,
    )


def restore(
    service: Service, pack_id: str, revision: object, *, caller: Caller = ACME, if_match: str | None = None
) -> Answer:
    """Take a withdrawal back."""
    headers = {"If-Match": if_match} if if_match else {}
    return service.send(
        "withdraw_revision", "DELETE", _path(pack_id, revision), caller=caller, headers=headers
    )


def delete_revision(
    service: Service,
    pack_id: str,
    revision: object,
    *,
    force: bool = False,
    caller: Caller = ACME,
    if_match: str | None = None,
) -> Answer:
    """Delete the content of a revision."""
    return service.send(
        "delete_revision",
        "DELETE",
        f"/packs/{pack_id}/revisions/{revision}",
        caller=caller,
        headers={"If-Match": if_match} if if_match else {},
        query={"force": "true"} if force else {},
    )


def _path(pack_id: str, revision: object) -> str:
    return f"/packs/{pack_id}/revisions/{revision}/withdrawal"


def statuses(service: Service, pack_id: str, caller: Caller = ACME) -> dict[int, str]:
    """Return the status of each revision."""
    listed = service.send("list_revisions", "GET", f"/packs/{pack_id}/revisions", caller=caller).body
    return {revision["revision"]: revision["status"] for revision in listed["revisions"]}


def archive(version: str, name: str = "slack", **files: bytes) -> bytes:
    """Return an archive of a version, other than that of any other version."""
    held = {f"data/{path}": content for path, content in files.items()}
    return PackArchive(name=name, version=version, files={"README.md": version.encode(), **held}).build()


def made(
    service: Service, name: str = "slack", *, caller: Caller = ACME, visibility: str = "org", **files: bytes
) -> str:
    """Make a pack of version 1.0.0."""
    answer = service.upload(archive("1.0.0", name, **files), caller, visibility=visibility)
    assert answer.status == 201, answer.body
    identity: str = answer.body["id"]
    return identity


def reupload(
    service: Service, pack_id: str, version: str, name: str = "slack", caller: Caller = ACME, **files: bytes
) -> Answer:
    """Give a pack the archive of another version."""
    body, headers = multipart({"archive": archive(version, name, **files)})
    path = f"/packs/{pack_id}/upload"
    request = Request(method="POST", resource=path, path=path, headers=headers, body=body, caller=caller)
    return service.request("reupload_pack", request)


def roll_back(service: Service, pack_id: str, revision: int) -> Answer:
    """Move a pack back to a revision."""
    return service.send("replace_pack", "PUT", f"/packs/{pack_id}", json={"revision": revision})


def refusal(answer: Answer) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return answer.status, answer.body["error"]["code"]


def cleaned_up(service: Service) -> bool:
    """Hand each message that is due to `clean_up`, in an invocation of its own. Return whether all were settled."""
    settled = True
    while bodies := service.aws.queued():
        for body in filter(service.is_due, bodies):
            settled &= not service.deliver_bodies([body])
    return settled


def events_of(service: Service, kind: str, caller: Caller = ACME) -> list[dict[str, Any]]:
    """Return the events of a type, the oldest first."""
    query = Query(condition="PK = :events", values={":events": f"EVENTS#{caller.org_id}"})
    items = service.aws.table.query(query).items
    return [item | {"data": json.loads(item["data"])} for item in items if item["type"] == kind]


def lock_of(service: Service, role: str) -> dict[str, Any]:
    """Return the status of each pack in the lock document of a role."""
    return {pack["id"]: pack["status"] for pack in service.lock(role).body["packs"]}


@contextmanager
def overtaken(service: Service, act: Callable[[], Answer], *, number: int = 1) -> Iterator[list[Answer]]:
    """Let another process do something right before a transaction of the context. Its answer is in the list."""
    answers: list[Answer] = []

    def overtake() -> None:
        with service.wire.sent_by("another"):
            answers.append(act())

    interrupt = Before(at=PointName("dynamodb.TransactWriteItems", number), what=overtake)
    with service.wire.tapped(interrupt=interrupt):
        yield answers
