"""What the clients do: three organisations, several keys, mostly reads."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final

from tests.service import PackArchive

from load.arrivals import send
from load.clients import Clients, Turn
from load.promises import PackPromise, Promises, RolePromise

ORGS: Final = ("acme", "globex", "platform")
ROLES: Final = 6
_FILE: Final = "guides/post.md"
_SHARE_OF_FREED_NAMES: Final = 0.2
_SHARE_OF_IF_MATCH: Final = 0.3
_SHARE_OF_RESTORATIONS: Final = 0.5
_OK, _CREATED, _NO_CONTENT, _NOT_FOUND = 200, 201, 204, 404


@dataclass
class Mix:
    """Chooses and sends the clients' requests.

    Attributes:
        clients: The clients.
        seed: The same seed gives the same requests. Their answers may differ.
        webhooks: The id of each organisation's webhook.
    """

    clients: Clients
    seed: int
    webhooks: dict[str, str] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def act(self, due: float) -> None:
        """Send one random request and record its result.

        Args:
            due: When it is due (`time.monotonic`).
        """
        turn = self.turn(due)
        operation = turn.randomness.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        operation(self, turn)

    def warm_up(self) -> None:
        """Send each kind of request as often at once as in the load, so that enough functions have started."""
        for operation in (Mix.upload, *_WEIGHTS):
            due_at_once = [0.0] * self.clients.at_once
            send(due_at_once, partial(_do, operation, self), at_once=self.clients.at_once)

    def turn(self, due: float) -> Turn:
        """Return the next arrival."""
        number = next(self._numbers)
        randomness = Random(f"{self.seed} {number}")
        return Turn(due=due, org=randomness.choice(ORGS), number=number, randomness=randomness)

    # --- Reading ---

    def get(self, turn: Turn) -> None:
        """Read a pack. It must not be older than what clients have seen."""
        pack = self.clients.promises.any_pack(turn.org, turn.randomness)
        if pack is None:
            return self.list_packs(turn)
        known = pack.revision
        reply = self.clients.read(turn, "get", f"/packs/{pack.pack_id}")
        if reply is None:
            return None
        if reply.status == _NOT_FOUND and not pack.leaving:
            self.clients.promises.contradictions.append(
                f"{pack.pack_id} is not found, and nobody has deleted it"
            )
        if reply.status == _OK:
            if reply.revision < known:
                self.clients.promises.contradictions.append(f"{pack.pack_id} has gone back from {known}")
            self.clients.show(turn.org, "", reply)
        return None

    def list_packs(self, turn: Turn) -> None:
        """List packs."""
        self.clients.read(turn, "list", f"/packs?limit={turn.randomness.choice((10, 50))}")

    def files(self, turn: Turn) -> None:
        """List a pack's files."""
        self._read_part(turn, "files", "/files")

    def file(self, turn: Turn) -> None:
        """Read one file."""
        self._read_part(turn, "file", f"/files/{_FILE}")

    def revisions(self, turn: Turn) -> None:
        """Read a pack's history."""
        self._read_part(turn, "revisions", "/revisions")

    def _read_part(self, turn: Turn, operation: str, part: str) -> None:
        pack = self.clients.promises.any_pack(turn.org, turn.randomness)
        if pack is None:
            return self.list_packs(turn)
        self.clients.read(turn, operation, f"/packs/{pack.pack_id}{part}")
        return None

    def role(self, turn: Turn) -> None:
        """Read a role."""
        self.clients.read(turn, "role", f"/agent-roles/{_role(turn)}/packs")

    def upload_status(self, turn: Turn) -> None:
        """Read the status of a staged upload."""
        own = [upload for upload, (org, _) in list(self.clients.promises.uploads.items()) if org == turn.org]
        if not own:
            return self.list_packs(turn)
        self.clients.read(turn, "upload_status", f"/packs/uploads/{turn.randomness.choice(own)}")
        return None

    # --- Making packs ---

    def upload(self, turn: Turn) -> None:
        """Publish a pack with a new name, or with that of a deleted pack."""
        org, name = turn.org, f"load-{turn.number}"
        if turn.randomness.random() < _SHARE_OF_FREED_NAMES:
            org, name = self.clients.promises.take_freed_name() or (org, name)
        archive = _archive(name, "1.0.0", turn.randomness)
        self._create(turn, "upload", org, name, "/packs/upload", archive=archive, fields=_form(archive))

    def repeat(self, turn: Turn) -> None:
        """Publish the same archive again."""
        pack = self.clients.promises.any_pack(turn.org, turn.randomness, built=True)
        if pack is None:
            return self.upload(turn)
        name = pack.body["name"]
        fields = _form(pack.archive) | {"visibility": pack.body["visibility"]}
        self._create(turn, "upload", turn.org, name, "/packs/upload", archive=pack.archive, fields=fields)
        return None

    def clone(self, turn: Turn) -> None:
        """Clone a pack."""
        pack = self.clients.promises.any_pack(turn.org, turn.randomness)
        if pack is None:
            return self.upload(turn)
        name = f"clone-{turn.number}"
        self._create(turn, "clone", turn.org, name, f"/packs/{pack.pack_id}/clone", json={"name": name})
        return None

    def _create(  # noqa: PLR0913 - the parts of a creation
        self, turn: Turn, operation: str, org: str, name: str, path: str, *, archive: bytes = b"", **more: Any
    ) -> None:
        reply = self.clients.insist(
            turn,
            operation,
            self.clients.of(org),
            "POST",
            path,
            unsure=lambda: self.clients.promises.leave_unsure_of(org, name),
            headers={"Idempotency-Key": f"load-{turn.number}"},
            **more,
        )
        if reply is not None and reply.status in (_OK, _CREATED):
            self.clients.show(org, operation, reply, archive)

    def staged(self, turn: Turn) -> None:
        """Start an upload, and post an archive to its form. The result is checked at the end."""
        name = f"staged-{turn.number}"
        headers = {"Idempotency-Key": f"load-{turn.number}"}
        reply = self.clients.insist(
            turn,
            "start_upload",
            self.clients.of(turn.org),
            "POST",
            "/packs/uploads",
            json={},
            headers=headers,
        )
        if reply is None or reply.status != _CREATED:
            return
        archive = _archive(name, "1.0.0", turn.randomness)
        form = {**reply.body["fields"], "file": ("pack.tar.gz", archive, "application/gzip")}
        status = self.clients.post_form(reply.body["url"], form)
        if status == _NO_CONTENT:
            self.clients.promises.uploads[reply.body["upload_id"]] = (turn.org, name)
        else:
            self.clients.journal.undocumented.append(f"S3 answered a form with {status}")

    # --- Changing packs ---

    def reupload(self, turn: Turn) -> None:
        """Replace a pack's archive."""
        pack = self.clients.promises.any_pack(turn.org, turn.randomness, built=True)
        if pack is None:
            return self.upload(turn)
        archive = _archive(pack.body["name"], f"1.{turn.number}.0", turn.randomness)
        headers = {"Idempotency-Key": f"load-{turn.number}"}
        path = f"/packs/{pack.pack_id}/upload"
        self._change(turn, "reupload", pack, "POST", path, headers=headers, fields=_form(archive))
        return None

    def update(self, turn: Turn) -> None:
        """Change a pack's visibility, sometimes only if the pack is as last seen."""
        pack = self.clients.promises.any_pack(turn.org, turn.randomness)
        if pack is None:
            return self.upload(turn)
        headers = {"If-Match": f'"{pack.revision}"'} if turn.randomness.random() < _SHARE_OF_IF_MATCH else {}
        visibility = turn.randomness.choice(("org", "community"))
        path, body = f"/packs/{pack.pack_id}", {"visibility": visibility}
        self._change(turn, "update", pack, "PATCH", path, headers=headers, json=body)
        return None

    def put_file(self, turn: Turn) -> None:
        """Write a file into a pack."""
        pack = self.clients.promises.any_pack(turn.org, turn.randomness, built=True)
        if pack is None:
            return self.upload(turn)
        path = f"/packs/{pack.pack_id}/files/data/{turn.randomness.randrange(5)}.bin"
        self._change(turn, "put_file", pack, "PUT", path, body=turn.randomness.randbytes(2000))
        return None

    def _change(
        self, turn: Turn, operation: str, pack: PackPromise, method: str, path: str, **more: Any
    ) -> None:
        client = self.clients.of(pack.org)
        unsure = _unsure(self.clients.promises, pack, operation)
        reply = self.clients.insist(turn, operation, client, method, path, unsure=unsure, **more)
        if reply is not None and reply.status == _OK:
            self.clients.show(pack.org, operation, reply)

    def delete(self, turn: Turn) -> None:
        """Delete a pack, unless a role references it."""
        pack = self.clients.promises.any_pack(turn.org, turn.randomness)
        if pack is None:
            return self.upload(turn)
        pack.leaving = True
        client, path = self.clients.of(pack.org), f"/packs/{pack.pack_id}"
        attempts: list[int] = []
        reply = self.clients.insist(turn, "delete", client, "DELETE", path, unsure=lambda: attempts.append(1))
        if reply is not None and reply.status == _OK:
            self.clients.promises.bury(pack)
        elif reply is not None and reply.code == "pack_in_use" and not attempts:
            pack.leaving = False
        return None

    def take_back(self, turn: Turn) -> None:
        """Withdraw a revision of a pack, or restore it."""
        pack = self.clients.promises.any_pack(turn.org, turn.randomness)
        # One client per pack, because nobody could tell which of two answers is the later.
        if pack is None or not pack.busy.acquire(blocking=False):
            return self.list_packs(turn)
        try:
            self._take_back(turn, pack)
        finally:
            pack.busy.release()
        return None

    def _take_back(self, turn: Turn, pack: PackPromise) -> None:
        revision = turn.randomness.choice(list(pack.told))
        digest = pack.told[revision].body["image_digest"]
        restores = (
            pack.withdrawn.get(digest) is not False and turn.randomness.random() < _SHARE_OF_RESTORATIONS
        )

        def unsure() -> None:
            pack.withdrawn[digest] = None

        reply = self.clients.insist(
            turn,
            "restore" if restores else "withdraw",
            self.clients.of(pack.org),
            "DELETE" if restores else "POST",
            f"/packs/{pack.pack_id}/revisions/{revision}/withdrawal",
            unsure=unsure,
            **({} if restores else {"json": {"reason": f"Load {turn.number}."}}),
        )
        if reply is not None and reply.status == _OK:
            pack.withdrawn[digest] = not restores

    # --- Webhooks ---

    def add_webhook(self, org: str, url: str) -> str:
        """Make an organisation's webhook for all events, and return its id."""
        reply = self.clients.of(org).call("POST", "/webhooks", json={"url": f"{url}/{org}"})
        self.webhooks[org] = webhook_id = str(reply.body["id"])
        return webhook_id

    def deliveries(self, turn: Turn) -> None:
        """List what was delivered to the organisation's webhook."""
        path = f"/webhooks/{self.webhooks[turn.org]}/deliveries?limit=20"
        self.clients.journal.ask(self.clients.of(turn.org), "deliveries", "GET", path, due=turn.due)

    def change_webhook(self, turn: Turn) -> None:
        """Describe the organisation's webhook anew; it stays active."""
        path, body = f"/webhooks/{self.webhooks[turn.org]}", {"description": f"Load {turn.number}"}
        self.clients.insist(turn, "change_webhook", self.clients.of(turn.org), "PATCH", path, json=body)

    def set_role(self, turn: Turn) -> None:
        """Set the packs of a role."""
        role_id = _role(turn)
        promise = self.clients.promises.roles[turn.org, role_id]
        found = [
            self.clients.promises.any_pack(turn.org, turn.randomness)
            for _ in range(turn.randomness.randrange(4))
        ]
        pack_ids = list(dict.fromkeys(pack.pack_id for pack in found if pack))
        # One client per role, because nobody could tell which of two answers is the later.
        if not promise.busy.acquire(blocking=False):
            return self.role(turn)
        try:
            self._set_role(turn, promise, f"/agent-roles/{role_id}/packs", pack_ids)
        finally:
            promise.busy.release()
        return None

    def _set_role(self, turn: Turn, promise: RolePromise, path: str, pack_ids: list[str]) -> None:
        def unsure() -> None:
            promise.tried += 1
            promise.may_hold.append(pack_ids)

        body = {"pack_ids": pack_ids}
        reply = self.clients.insist(
            turn, "set_role", self.clients.of(turn.org), "PUT", path, unsure=unsure, json=body
        )
        if reply is not None and reply.status == _OK:
            promise.tried += 1
            promise.may_hold = [pack_ids]


def _do(operation: Callable[[Mix, Turn], None], mix: Mix, due: float) -> None:
    operation(mix, mix.turn(due))


def _role(turn: Turn) -> str:
    return f"role-{turn.randomness.randrange(ROLES)}"


def _archive(name: str, version: str, randomness: Random) -> bytes:
    text = randomness.randbytes(randomness.randrange(200, 8000)).hex().encode()
    return PackArchive(name=name, version=version, files={_FILE: text}).build()


def _form(archive: bytes) -> dict[str, Any]:
    return {"archive": ("pack.tar.gz", archive, "application/gzip")}


def _unsure(promises: Promises, pack: PackPromise, operation: str) -> Callable[[], None]:
    return lambda: promises.leave_unsure(pack, operation)


_WEIGHTS: Final[Mapping[Callable[[Mix, Turn], None], int]] = {
    Mix.get: 20,
    Mix.list_packs: 10,
    Mix.files: 7,
    Mix.file: 7,
    Mix.revisions: 7,
    Mix.role: 5,
    Mix.upload_status: 2,
    Mix.upload: 10,
    Mix.repeat: 3,
    Mix.reupload: 5,
    Mix.update: 6,
    Mix.set_role: 6,
    Mix.clone: 3,
    Mix.put_file: 4,
    Mix.delete: 4,
    Mix.take_back: 5,
    Mix.deliveries: 2,
    Mix.change_webhook: 1,
    Mix.staged: 1,
}
