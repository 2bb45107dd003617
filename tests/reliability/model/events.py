"""What happens beside clients' requests: archives and messages arrive, time passes, registries fail, all is settled."""

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from tests.aws import TABLE
from tests.fake_registry.moods import Mood
from tests.reliability.invariants import assert_sound
from tests.reliability.model.choices import Fate
from tests.reliability.model.clients import ORGS, packed, tar_gz
from tests.reliability.model.contract import TOMBSTONE_KEPT, Model
from tests.reliability.model.packs import Archive, Content
from tests.reliability.model.possible_states import HOLD, Trouble
from tests.reliability.model.requests import Requests
from tests.reliability.tally import count
from tests.staged_uploads import arrive, deliver
from tests.third_party_images import Blob, image

from packyard.packs.timestamp import format_timestamp
from packyard.store.keys import name_key, pack_key
from packyard.store.wire import from_wire

# The table's TTL deletes late; the clocks of two functions differ by less.
_TTL_LAG: Final = timedelta(minutes=10)
_STEPS_BACK: Final = timedelta(seconds=30)


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

    # -- staged archives ------------------------------------------------------------------------------------------

    @property
    def can_send(self) -> list[int]:
        """The numbers of the uploads whose form S3 still takes."""
        uploads, now = self.states.one.uploads, self.service.clock.now
        return [n for n, upload in enumerate(uploads) if upload.id is not None and now <= upload.form_until]

    def archive_arrives(self, number: int, archive: Archive) -> None:
        """S3 has an archive now, and a notice of it waits."""
        upload_id = self.states.one.uploads[number].id
        assert upload_id is not None
        self.unsettled_notices.add(len(self.notices))
        self.notices.append((number, arrive(self.service, upload_id, packed(archive))))
        self.states.each(lambda model: setattr(model.uploads[number], "archive", archive))

    def deliver_notice(self, index: int, fate: Fate | None) -> None:
        """Deliver a notice of S3 to `build_upload`."""
        index %= len(self.notices)
        number, body = self.notices[index]
        trouble = self.trouble_of(fate)
        left = self.meet(lambda: deliver(self.service, body), fate, first=0)
        branches = [branch for model in self.states.models for branch in self._builds(model, number, trouble)]
        kept = [model for model, settled in branches if left is None or settled == (left == [])]
        assert kept, f"the message came {'back' if left else 'to its end'}, which no state allows"
        if left == []:
            self.unsettled_notices.discard(index)
        self.states.keep(kept)
        self.collect()
        self.steps += 1
        self.look_around(self.states.one.uploads[number].org)

    def _builds(self, model: Model, number: int, trouble: Trouble) -> list[tuple[Model, bool]]:
        """Return the states that a build may lead to, and whether its message is settled in each."""
        was = (model.uploads[number].status, model.uploads[number].lease_until)
        done = model.copy()
        done.in_trouble = trouble.any
        upload = done.uploads[number]
        found = [(done, done.build(upload))]
        written = done.written_to()
        held = model.is_busy(written)
        interrupted = trouble.dies or trouble.outage
        if (upload.status, upload.lease_until) == was or not (trouble.any or held):
            return found + ([(model.copy(), False)] if interrupted else [])
        codes = ["registry_unavailable"] * trouble.registry + ["service_unavailable"] * (
            trouble.outage or held
        )
        for code in codes:
            left = model.copy()
            left.give_up_build(left.uploads[number], code)
            found.append((left, False))
        if interrupted:
            leased = model.copy()
            leased.begin_build(leased.uploads[number])
            found += [(leased, False), (model.copy(), False)]
        if written is not None:
            for left, _ in found[1:]:
                left.abandoned.add(written)
        return found

    # -- the cleanup queue ----------------------------------------------------------------------------------------

    def deliver_message(self, body: str, fate: Fate | None) -> None:
        """Deliver a message to `clean_up`."""
        trouble = self.trouble_of(fate)
        message = json.loads(body)
        due = self.service.is_due(body)
        may_be_held = not due or self._is_busy(message)
        left = self.meet(lambda: self.service.deliver_bodies([body]), fate, first=0)
        if left and self.service.held:
            assert may_be_held, f"{body} was held"
        elif left:
            assert trouble.any, f"{body} came back"
        elif left == []:
            assert due, f"{body} was settled before its time"
            if body in self.inbox:
                self.inbox.remove(body)
                self.settled.append(body)
        if due and message["kind"] == "pack_deletion":
            self._deletion_comes_due(message["pack_id"], trouble, left)
        elif due and message["kind"] == "orphan_image":
            self._image_comes_due(message, trouble)
        self.collect()
        self.steps += 1
        if left is None:
            self.look_around(*ORGS)
            assert_sound(self.service, pending=self.inbox)

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

    def _deletion_comes_due(self, pack_id: str, trouble: Trouble, left: list[str] | None) -> None:
        self.hold(pack_id, trouble)
        kept: list[Model] = []
        for model in self.states.models:
            pack = next((pack for pack in model.packs if pack.id == pack_id), None)
            if pack is None or pack.status != "deleting":
                kept.append(model)
                continue
            if left != []:
                kept.append(model.copy())
            if not left:
                model.finish_deletion(pack_id)
                kept.append(model)
        self.states.keep(kept)

    def _image_comes_due(self, message: Mapping[str, Any], trouble: Trouble) -> None:
        name, digest = (message["org_id"], message["name"]), message["digests"][0]
        for model in self.states.models:
            holder = model.holder(*name)
            used = holder is not None and any(e.content.image.digest == digest for e in holder.history)
            if not used and trouble.any:
                model.busy[name] = model.now + HOLD
            if holder is not None and holder.is_active and used:
                model.restore_tag(holder, digest, certain=not trouble.any)
        self.states.keep(self.states.models)

    # -- time -----------------------------------------------------------------------------------------------------

    def pass_time(self, by: timedelta, *, back: timedelta = timedelta()) -> None:
        """Let time pass. The next function's clock may be behind the last one's."""
        self.service.clock.advance(by)
        self.latest = max(self.latest, self.service.clock.now)
        self.service.clock.now = max(self.service.clock.now - back, self.latest - _STEPS_BACK)

    def expire(self, share: int) -> None:
        """Let the table's TTL delete what expired a while ago: all of it, or a part."""
        until = (self.service.clock.now - _TTL_LAG).timestamp()
        table = self.service.aws.dynamodb
        items = table.scan(TableName=TABLE, FilterExpression="attribute_exists(expires_at)")["Items"]
        for item in items[::share]:
            if int(item["expires_at"]["N"]) < until:
                table.delete_item(TableName=TABLE, Key={"PK": item["PK"], "SK": item["SK"]})
                if item["SK"]["S"] == "PACK":
                    self._forget(from_wire(item)["id"])

    def _forget(self, pack_id: str) -> None:
        """The record of a deleted pack expires. A repeated deletion is then told that there is no such pack."""
        for model in self.states.models:
            pack = next(pack for pack in model.packs if pack.id == pack_id)
            assert pack.gone_at is not None, "a pack that is not deleted has expired"
            assert self.latest > pack.gone_at + TOMBSTONE_KEPT
            model.packs.remove(pack)

    # -- registries -----------------------------------------------------------------------------------------------

    def fail_registry(self, *, ours: bool, mood: Mood) -> None:
        registry = self.service.registry if ours else self.elsewhere
        registry.moods[:] = [replace(mood)]

    def heal_registries(self) -> None:
        self.service.registry.moods.clear()
        self.elsewhere.moods.clear()

    def push_elsewhere(self, name: str, manifest: bytes, tag: str) -> None:
        """Somebody pushes an image to a registry of their own, perhaps under a tag that exists."""
        repository = f"team/{name}"
        content = Content.of({"pack.yaml": manifest, "guides/theirs.md": b"theirs"}, "them")
        made = image(Blob(tar_gz(content.files)))
        digest = made.shelve(self.elsewhere.shelves.repository(repository, create=True), tag)
        assert content.image.digest in (None, digest)
        content.image.digest = digest
        self.states.each(lambda model: model.push_elsewhere(repository, tag, content))

    # -- the end --------------------------------------------------------------------------------------------------

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
        self.states.at(self.service.clock.now)
        self.states.each(Model.settle)
        self.look_around(*ORGS)
        assert_sound(self.service, pending=self.inbox, settled=True)
        self.settled_at = self.steps
