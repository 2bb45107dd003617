"""What happens around the service: archives and messages arrive, time passes, registries fail, everything settles."""

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from tests.aws import TABLE
from tests.fake_registry.moods import Mood
from tests.reliability.clients import ORGS, packed, tar_gz
from tests.reliability.invariants import assert_sound
from tests.reliability.model import TOMBSTONE_KEPT, Model
from tests.reliability.model_packs import Archive, Content
from tests.reliability.stage import Fate, Stage
from tests.reliability.tally import count
from tests.reliability.worlds import HOLD, Trouble
from tests.staged_uploads import arrive, deliver
from tests.third_party_images import Blob, image

from packyard.packs.timestamp import format_timestamp
from packyard.store.keys import name_key, pack_key
from packyard.store.wire import from_wire

# TTL deletes late, and clocks here never differ by as much.
_TTL_LAG: Final = timedelta(minutes=10)
_STEPS_BACK: Final = timedelta(seconds=30)


class Surroundings(Stage):
    """Lets things happen that no client asks for, each with what it may do to the worlds."""

    def teardown(self) -> None:
        try:
            # What is left after a failure is of no interest, and would hide it.
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
        """The uploads whose form is good: S3 takes nothing once its time is over."""
        uploads = enumerate(self.worlds.one.uploads)
        now = self.service.clock.now
        return [n for n, upload in uploads if upload.id is not None and now <= upload.form_until]

    def archive_arrives(self, number: int, archive: Archive) -> None:
        """Let S3 have an archive, and tell of it when asked to."""
        upload_id = self.worlds.one.uploads[number].id
        assert upload_id is not None
        self.notices.append((number, arrive(self.service, upload_id, packed(archive))))
        self.unheard.add(len(self.notices) - 1)

        def have(model: Model) -> None:
            model.uploads[number].archive = archive

        self.worlds.each(have)

    def tell_of_archive(self, index: int, fate: Fate | None) -> None:
        """Deliver what S3 has told to `build_upload`."""
        index %= len(self.notices)
        number, body = self.notices[index]
        trouble = self.trouble_of(fate)
        returned = self.meet(lambda: deliver(self.service, body), _later(fate, -2))
        branches = [branch for world in self.worlds.models for branch in self._builds(world, number, trouble)]
        kept = [world for world, settled in branches if returned is None or settled == (returned == [])]
        assert kept, f"the message came {'back' if returned else 'to its end'}, which no state allows"
        if returned == []:
            self.unheard.discard(index)
        self.worlds.keep(kept)
        self.collect()
        self.steps += 1
        self.look_around(self.worlds.one.uploads[number].org)

    def _builds(self, world: Model, number: int, trouble: Trouble) -> list[tuple[Model, bool]]:
        done = world.copy()
        done.in_trouble = trouble.any
        was = (world.uploads[number].status, world.uploads[number].lease_until)
        found = [(done, done.build(done.uploads[number]))]
        attempted = (done.uploads[number].status, done.uploads[number].lease_until) != was
        written = done.written_to()
        held = world.is_busy(written)
        if not attempted or not (trouble.any or held):
            if trouble.dies or trouble.outage:
                found.append((world.copy(), False))
            return found
        codes = (["registry_unavailable"] if trouble.registry else []) + (
            ["service_unavailable"] if trouble.outage or held else []
        )
        for code in codes:
            left = world.copy()
            left.give_up_build(left.uploads[number], code)
            found.append((left, False))
        if trouble.dies or trouble.outage:
            leased = world.copy()
            leased.begin_build(leased.uploads[number])
            found += [(leased, False), (world.copy(), False)]
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
        held = not due or self._is_at_work_in(message)
        returned = self.meet(lambda: self.service.deliver_bodies([body]), _later(fate, -2))
        if returned and self.service.held:
            assert held, f"{body} was held"
        elif returned:
            assert trouble.any, f"{body} came back"
        elif returned == []:
            assert due, f"{body} was settled before its time"
            if body in self.mail:
                self.mail.remove(body)
                self.settled_mail.append(body)
        if due and message["kind"] == "pack_deletion":
            self._deletion_comes_due(message["pack_id"], trouble, returned)
        elif due and message["kind"] == "orphan_image":
            self._image_comes_due(message, trouble)
        self.collect()
        self.steps += 1
        if returned is None:
            self.look_around(*ORGS)
            assert_sound(self.service, pending=self.mail)

    def _is_at_work_in(self, message: Mapping[str, Any]) -> bool:
        """Return whether somebody may be at work in the repository of a message, so that it may be held."""
        if message["kind"] != "orphan_image":
            return False
        name = self.service.aws.table.get(name_key(message["org_id"], message["name"])) or {}
        now = format_timestamp(self.service.clock())
        if any(name.get(until, "") >= now for until in ("claimed_until", "purging_until")):
            return True
        # An image that we pushed may have come to a registered pack, which is being deleted.
        holder = self.service.aws.table.get(pack_key(name["pack_id"])) if "pack_id" in name else None
        return holder is not None and holder["status"] == "deleting"

    def _deletion_comes_due(self, pack_id: str, trouble: Trouble, returned: list[str] | None) -> None:
        self.hold(pack_id, trouble)
        kept: list[Model] = []
        for world in self.worlds.models:
            pack = next((pack for pack in world.packs if pack.id == pack_id), None)
            if pack is None or pack.status != "deleting":
                kept.append(world)
                continue
            if returned != []:
                kept.append(world.copy())
            if not returned:
                world.finish_deletion(pack_id)
                kept.append(world)
        self.worlds.keep(kept)

    def _image_comes_due(self, message: Mapping[str, Any], trouble: Trouble) -> None:
        place = (message["org_id"], message["name"])

        def come_due(model: Model) -> None:
            holder = model.holder(*place)
            used = holder is not None and any(
                entry.content.image.digest == message["digests"][0] for entry in holder.history
            )
            if not used and trouble.any:
                model.busy[place] = model.now + HOLD
            if holder is not None and holder.is_active and used:
                model.restore_tag(holder, message["digests"][0], certain=not trouble.any)

        self.worlds.each(come_due)
        self.worlds.keep(self.worlds.models)

    # -- time -----------------------------------------------------------------------------------------------------

    def pass_time(self, by: timedelta) -> None:
        self.service.clock.advance(by)
        self.latest = max(self.latest, self.service.clock.now)

    def step_back(self, by: timedelta) -> None:
        self.service.clock.now = max(self.service.clock.now - by, self.latest - _STEPS_BACK)

    def expire(self, share: int) -> None:
        """Let the table's TTL delete what has expired a while ago: all of it, or a part."""
        until = (self.service.clock.now - _TTL_LAG).timestamp()
        table = self.service.aws.dynamodb
        items = table.scan(TableName=TABLE, FilterExpression="attribute_exists(expires_at)")["Items"]
        for number, item in enumerate(items):
            if int(item["expires_at"]["N"]) < until and number % share == 0:
                table.delete_item(TableName=TABLE, Key={"PK": item["PK"], "SK": item["SK"]})
                if item["SK"]["S"] == "PACK":
                    self._forget(from_wire(item)["id"])

    def _forget(self, pack_id: str) -> None:
        def forget(model: Model) -> None:
            pack = next(pack for pack in model.packs if pack.id == pack_id)
            assert pack.gone_at is not None, "what is not deleted expires"
            assert self.latest > pack.gone_at + TOMBSTONE_KEPT
            model.forget(pack)

        self.worlds.each(forget)

    # -- registries -----------------------------------------------------------------------------------------------

    def spoil_registry(self, *, ours: bool, mood: Mood) -> None:
        registry = self.service.registry if ours else self.elsewhere
        registry.moods[:] = [replace(mood)]

    def heal_registries(self) -> None:
        self.service.registry.moods.clear()
        self.elsewhere.moods.clear()

    def push_elsewhere(self, name: str, manifest: bytes, tag: str) -> None:
        """Somebody pushes an image to a registry of their own; a tag may have been there before."""
        repository = f"team/{name}"
        content = Content.of({"pack.yaml": manifest, "guides/theirs.md": b"theirs"}, "them")
        made = image(Blob(tar_gz(content.files)))
        digest = made.shelve(self.elsewhere.shelves.repository(repository, create=True), tag)
        assert content.image.digest in (None, digest)
        content.image.digest = digest
        self.worlds.each(lambda model: model.push_elsewhere(repository, tag, content))

    # -- the end --------------------------------------------------------------------------------------------------

    def settle_everything(self) -> None:
        """Let everything recover, every message arrive and every deadline pass; then nothing may be left over."""
        self.heal_registries()
        for index in sorted(self.unheard):
            self.tell_of_archive(index, None)
        for _ in range(8):
            self.pass_time(timedelta(hours=1))
            for index in sorted(self.unheard):
                self.tell_of_archive(index, None)
            self.collect()
            for body in list(self.mail):
                self.deliver_message(body, None)
            if not self.mail:
                break
        self.pass_time(timedelta(hours=1))
        self.worlds.at(self.service.clock.now)
        self.worlds.each(Model.settle)
        self.look_around(*ORGS)
        assert_sound(self.service, pending=self.mail, settled=True)
        self.settled_at = self.steps


def _later(fate: Fate | None, calls: int) -> Fate | None:
    """Return a fate that has no authorizer to wait for."""
    return (
        None
        if fate is None
        else replace(fate, moment=fate.moment + (calls if fate.kind == "outage" else 2 * calls))
    )
