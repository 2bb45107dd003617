"""What happens beside clients' requests: archives, messages and images arrive, rows expire, all is settled."""

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from tests.aws import TABLE
from tests.changes import archive_of
from tests.gateway import Answer
from tests.reliability.invariants import assert_sound
from tests.reliability.model.clients import ORGS, packed
from tests.reliability.model.contract import COMES_BACK, FORM_TIME, SETTLED, Model
from tests.reliability.model.packs import Archive, Content
from tests.reliability.model.possible_states import Branch, Trouble, builds
from tests.reliability.model.requests import Fate, Requests
from tests.reliability.model.state import HOLD
from tests.reliability.tally import count
from tests.staged_uploads import arrive, deliver
from tests.third_party_images import Blob, image

from packyard.packs.timestamp import format_timestamp
from packyard.store.keys import name_key, pack_key
from packyard.store.wire import from_wire

# The least that the contract leaves open; the decision on deletions says thirty days.
_TOMBSTONE_KEPT: Final = timedelta(days=30)
# The table's TTL deletes late; the clocks of two functions differ by less.
_TTL_LAG: Final = timedelta(minutes=10)


class Events(Requests):
    """Lets things happen that no client asks for, each with what it may do to the states."""

    def teardown(self) -> None:
        try:
            # After a failure there is nothing to settle, and another failure would hide the first.
            if sys.exc_info()[0] is None:
                self.settle_everything()
        finally:
            self.opened.close()
            count("model: requests", self.clients.sent)
            count("model: steps", self.steps)
            count("model: runs")

    def pass_time(self, by: timedelta, *, back: timedelta = timedelta()) -> None:
        """Let time pass. The next function's clock may be behind the last one's."""
        self.service.clock.advance(by)
        self.latest = max(self.latest, self.service.clock.now)
        self.service.clock.now = max(self.service.clock.now - back, self.latest - timedelta(seconds=30))

    @property
    def can_send(self) -> list[int]:
        """The numbers of the uploads whose form S3 still takes."""
        uploads, now = self.one.uploads, self.service.clock.now
        return [
            n for n, upload in enumerate(uploads) if upload.id is not None and now <= upload.since + FORM_TIME
        ]

    def archive_arrives(self, number: int, archive: Archive) -> None:
        """S3 has an archive now, and a notice of it waits."""
        upload_id = self.one.uploads[number].id
        assert upload_id is not None
        self.unsettled_notices.add(len(self.notices))
        self.notices.append((number, arrive(self.service, upload_id, packed(archive))))
        for model in self.states:
            model.uploads[number].archive = archive

    def deliver_notice(self, index: int, fate: Fate | None) -> None:
        """Deliver a notice of S3 to `build_upload`."""
        index %= len(self.notices)
        number, body = self.notices[index]
        trouble = self.trouble_of(fate)
        left = self.meet(lambda: deliver(self.service, body), fate, first=0)
        if left == []:
            self.unsettled_notices.discard(index)
        branches = [branch for model in self.states for branch in builds(model, number, trouble)]
        org = self.one.uploads[number].caller.org
        self.settle(branches, _as_answer(left), org)
        if left is not None:
            self.look_around(org)

    def deliver_message(self, body: str, fate: Fate | None) -> None:
        """Deliver a message to `clean_up`."""
        trouble = self.trouble_of(fate)
        message = json.loads(body)
        due = self.service.is_due(body)
        may_be_held = not due or self._is_busy(message)
        left = self.meet(lambda: self.service.deliver_bodies([body]), fate, first=0)
        if left:
            assert may_be_held if self.service.held else trouble, f"{body} came back"
        elif left == []:
            assert due, f"{body} was settled before its time"
            if body in self.inbox:
                self.inbox.remove(body)
                self.settled.append(body)
        branches = [
            branch for model in self.states for branch in _cleanups(model, message if due else {}, trouble)
        ]
        self.settle(branches, _as_answer(left), *ORGS)

    def _is_busy(self, message: Mapping[str, Any]) -> bool:
        """Return whether another process may be at work in the repository of a message, so that it may be held."""
        if message["kind"] != "orphan_image":
            return False
        name = self.service.aws.table.get(name_key(message["org_id"], message["name"])) or {}
        now = format_timestamp(self.service.clock())
        if any(name.get(until, "") >= now for until in ("claimed_until", "purging_until")):
            return True
        # The image that we pushed may now belong to a registered pack, which is being deleted.
        holder = self.service.aws.table.get(pack_key(name["pack_id"])) if "pack_id" in name else None
        return holder is not None and holder["status"] == "deleting"

    def expire(self, share: int) -> None:
        """Let the table's TTL delete what expired a while ago: all of it, or a part."""
        until = (self.service.clock.now - _TTL_LAG).timestamp()
        table = self.service.aws.dynamodb
        items = table.scan(TableName=TABLE, FilterExpression="attribute_exists(expires_at)")["Items"]
        for item in [item for item in items[::share] if int(item["expires_at"]["N"]) < until]:
            table.delete_item(TableName=TABLE, Key={"PK": item["PK"], "SK": item["SK"]})
            if item["SK"]["S"] == "PACK":
                self._forget(from_wire(item)["id"])

    def _forget(self, pack_id: str) -> None:
        """The record of a deleted pack expires. A repeated deletion is then told that there is no such pack."""
        for model in self.states:
            pack = model.known(pack_id)
            assert pack is not None
            assert pack.gone_at is not None, "a pack that is not deleted has expired"
            assert self.latest > pack.gone_at + _TOMBSTONE_KEPT
            model.packs.remove(pack)

    def push_elsewhere(self, name: str, manifest: bytes, tag: str) -> None:
        """Somebody pushes an image to a registry of their own, perhaps under a tag that exists."""
        repository = f"team/{name}"
        content = Content.of({"pack.yaml": manifest, "guides/theirs.md": b"theirs"}, "them")
        made = image(Blob(archive_of(content.files)))
        digest = made.shelve(self.elsewhere.shelves.repository(repository, create=True), tag)
        assert content.image_digest in (None, digest)
        content.image_digest = digest
        for model in self.states:
            model.elsewhere.setdefault(repository, {})[tag] = content
            model.pushed_elsewhere.add((repository, content))

    def heal_registries(self) -> None:
        self.service.registry.moods.clear()
        self.elsewhere.moods.clear()

    def settle_everything(self) -> None:
        """Let everything recover, every message arrive and every deadline pass; then nothing may be left over."""
        self.heal_registries()
        for hours in range(9):
            self.pass_time(timedelta(hours=min(hours, 1)))
            for index in sorted(self.unsettled_notices):
                self.deliver_notice(index, None)
            self.collect()
            if hours:
                for body in list(self.inbox):
                    self.deliver_message(body, None)
                if not self.inbox:
                    break
        self.pass_time(timedelta(hours=1))
        for model in self.states:
            model.now = self.service.clock.now
            model.abandoned.clear()
            model.busy.clear()
        self.look_around(*ORGS)
        assert_sound(self.service, pending=self.inbox, settled=True)
        self.settled_at = self.steps


def _as_answer(left: list[str] | None) -> Answer | None:
    """Return what became of a message as an answer: see `SETTLED` and `COMES_BACK`."""
    return None if left is None else Answer((COMES_BACK if left else SETTLED).status, {}, None)


def _cleanups(model: Model, message: Mapping[str, Any], trouble: Trouble) -> Iterator[Branch]:
    """Yield what a cleanup message that is due may do."""
    if message.get("kind") == "pack_deletion":
        pack = model.known(message["pack_id"])
        model.hold(message["pack_id"], in_trouble=bool(trouble))
        if pack is not None and not pack.is_active and pack.gone_at is None:
            yield model.copy(), COMES_BACK
            model.finish_deletion(pack)
            yield model, SETTLED
            return
    elif message.get("kind") == "orphan_image":
        name, digest = (message["org_id"], message["name"]), message["digests"][0]
        holder = model.holder(*name)
        used = holder is not None and any(e.content.image_digest == digest for e in holder.history)
        if not used and trouble:
            model.busy[name] = model.now + HOLD
        if holder is not None and holder.is_active and holder.content.image_digest == digest:
            # The message of an image that is in use puts its tag right.
            model.in_trouble = bool(trouble)
            model.set_tag(holder, holder.content)
    yield model, SETTLED
    yield model, COMES_BACK
