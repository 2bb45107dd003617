"""Where the machine plays: a running service, all that is on its way to it, and the worlds that it may be in."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

from hypothesis.stateful import RuleBasedStateMachine
from tests.aws import TABLE
from tests.crashes import Killed, fused
from tests.fake_registry.moods import Mood
from tests.fake_registry.server import FakeRegistry
from tests.foreign_images import Blob, image
from tests.gateway import Answer
from tests.reliability.clients import (
    DOMAIN,
    ORGS,
    READER,
    SLUGS,
    Clients,
    outage,
    packed,
    principal_of,
    tar_gz,
)
from tests.reliability.expectations import Expected, Refused
from tests.reliability.invariants import assert_sound
from tests.reliability.model import TOMBSTONE_KEPT, Caller, Model
from tests.reliability.model_packs import Archive, Content, Pack, Reference
from tests.reliability.tally import count
from tests.reliability.worlds import HOLD, Branch, Predict, Trouble, Worlds, branches_of, outcome
from tests.service import DEADLINE, running_service
from tests.staged_uploads import arrive, deliver

from packyard.store.wire import from_wire

Key = tuple[str, int]
_CHECKED_EVERY: Final = 8
# TTL deletes late, and clocks here never differ by as much.
_TTL_LAG: Final = timedelta(minutes=10)
_STEPS_BACK: Final = timedelta(seconds=30)


@dataclass(frozen=True)
class Fate:
    """What happens to a request at one of its external calls: its function dies there, or the call is refused."""

    kind: str
    moment: int


@dataclass(frozen=True)
class Cursor:
    """Where a listing goes on, as it was answered."""

    text: str
    org: str
    filters: Mapping[str, str]
    after: tuple[str, str]


class Stage(RuleBasedStateMachine):
    """Sends what the rules ask for, and holds every answer against the worlds.

    Attributes:
        worlds: What the service may be.
        mail: Messages to `clean_up` that have not been settled.
        settled_mail: Those that have; a queue may deliver them once more.
        notices: What S3 has told, with the upload that it is about; likewise.
        cursors: Which listings have answered with one.
    """

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        self.service = self._open.enter_context(running_service(api_domain=DOMAIN))
        self.elsewhere = self._open.enter_context(FakeRegistry())
        self.elsewhere_host = self.elsewhere.url.partition("://")[2]
        self.clients = Clients(self.service)
        host = self.service.registry.url.partition("://")[2]
        self.worlds = Worlds([Model(now=self.service.clock.now, lease=DEADLINE, host=host)])
        self.mail: list[str] = []
        self.settled_mail: list[str] = []
        self.notices: list[tuple[int, str]] = []
        self.unheard: set[int] = set()
        self.cursors: list[Cursor] = []
        self.revoked: set[Key] = set()
        self.roles: set[tuple[str, str]] = set()
        self._latest = self.service.clock.now
        self._steps = 0
        self._settled_at = 0

    def teardown(self) -> None:
        try:
            # What is left after a failure is of no interest, and would hide it.
            if sys.exc_info()[0] is None:
                self.settle_everything()
        finally:
            self._open.close()
            count("model: requests", self.clients.sent)
            count("model: steps", self._steps)
            count("model: runs")

    @property
    def unsettled_steps(self) -> int:
        """How much has been done since everything was settled last."""
        return self._steps - self._settled_at

    def caller(self, key: Key) -> Caller:
        return Caller(key[0], principal_of(key), may_write=key[1] != READER, revoked=key in self.revoked)

    def slug(self, org: str) -> str:
        return SLUGS[org]

    # -- requests -------------------------------------------------------------------------------------------------

    def read(self, send: Callable[[], Answer], predict: Predict) -> None:
        self.write("", send, predict, None)

    def write(
        self,
        org: str,
        send: Callable[[], Answer],
        predict: Predict,
        fate: Fate | None,
        place: tuple[str, str, str] | None = None,
    ) -> None:
        trouble = self._trouble(fate)
        answer = self._meet(send, fate)
        self._settle(
            [
                branch
                for world in self.worlds.models
                for branch in branches_of(world, predict, trouble, died=answer is None, place=place)
            ],
            answer,
            org,
        )

    def write_found(
        self,
        org: str,
        send: Callable[[], Answer],
        predict: Callable[[Model, Content], Expected],
        reference: Reference,
        *,
        fate: Fate | None,
        place: tuple[str, str, str] | None = None,
    ) -> None:
        """Send a request whose outcome depends on what a reference resolves to."""
        trouble = self._trouble(fate)
        answer = self._meet(send, fate)
        self._settle(
            [
                branch
                for world in self.worlds.models
                for found in world.resolve(reference, org)
                for branch in branches_of(
                    world,
                    lambda model, found=found: predict(model, found),  # type: ignore[misc]
                    trouble,
                    died=answer is None,
                    place=place,
                )
            ],
            answer,
            org,
        )

    def remove(self, key: Key, caller: Caller, pack_id: str, if_match: str | None, fate: Fate | None) -> None:
        """Delete a pack: from the decision on there is one way, and it may be gone half of it."""
        trouble = self._trouble(fate)
        answer = self._meet(lambda: self.clients.delete(key, pack_id, if_match), fate)
        self._hold(pack_id, trouble)

        def decide(model: Model) -> None:
            model.admit(caller, write=True)
            model.decide_deletion(caller, pack_id, if_match)

        self._settle(
            [
                branch
                for world in self.worlds.models
                for branch in branches_of(
                    world,
                    lambda model: model.delete(caller, pack_id, if_match),
                    trouble,
                    died=answer is None,
                    halves=[decide],
                    registry_code="registry_cleanup_failed",
                )
            ],
            answer,
            caller.org,
        )

    def _hold(self, pack_id: str, trouble: Trouble) -> None:
        """Whoever dies while clearing a repository up holds it for a while; so do those who join in."""

        def hold(model: Model) -> None:
            pack = next((pack for pack in model.packs if pack.id == pack_id), None)
            if pack is not None and (trouble.any or model.is_busy((pack.org, pack.name))):
                model.busy[pack.org, pack.name] = model.now + HOLD

        self.worlds.each(hold)

    def _trouble(self, fate: Fate | None) -> Trouble:
        return Trouble(
            dies=fate is not None and fate.kind == "dies",
            outage=fate is not None and fate.kind == "outage",
            registry=any(mood.times != 0 for mood in (*self.service.registry.moods, *self.elsewhere.moods)),
        )

    def _meet(self, send: Callable[[], Any], fate: Fate | None) -> Any:
        """Do something under a fate; None when it has died."""
        self.worlds.at(self.service.clock.now)
        if fate is None:
            return send()
        count(f"model: {fate.kind}")
        if fate.kind == "outage":
            # The authorizer's two reads come first, and are not the operation's.
            with outage(self.service, fate.moment + 2):
                return send()
        try:
            with fused(self.service, fate.moment + 4):
                return send()
        except Killed:
            return None

    def _settle(self, branches: Sequence[Branch], answer: Answer | None, org: str) -> None:
        self.worlds.settle(branches, answer)
        self._collect()
        if answer is None:
            self.look_around(org)
        self._steps += 1
        if answer is None or self._steps % _CHECKED_EVERY == 0:
            assert_sound(self.service, pending=self.mail)

    def _collect(self) -> None:
        while bodies := self.service.aws.queued():
            self.mail += bodies

    # -- listings -------------------------------------------------------------------------------------------------

    def list_page(
        self, key: Key, filters: Mapping[str, str], limit: int, cursor: Cursor | None = None
    ) -> str:
        """Ask for a page, and return the next one's cursor, empty after the last."""
        caller = self.caller(key)
        query = {**filters, "limit": str(limit)} | ({"cursor": cursor.text} if cursor else {})
        answer = self._meet(lambda: self.clients.list_packs(key, query), None)
        body = answer.body
        after = cursor.after if cursor else ("", "")

        def predict(model: Model) -> Expected:
            listed = model.listing(caller, dict(filters))
            if cursor is not None and cursor.org != key[0]:
                raise Refused.by_fields("cursor")
            _learn_ids(listed, body.get("packs", []), key[0])
            listed.sort(key=lambda pack: (pack.name, pack.id or ""))
            left = [pack for pack in listed if (pack.name, pack.id or "") > after]
            page = {"packs": [pack.view(key[0]) for pack in left[:limit]]}
            # A page that ends where its reads end may not know that it is the last.
            if len(left) > limit or "next_cursor" in body:
                page["next_cursor"] = body.get("next_cursor", "missing")
            return Expected(200, page)

        self._settle(
            [Branch(world, outcome(world, predict)) for world in self.worlds.models],
            answer,
            key[0],
        )
        if "next_cursor" not in body:
            return ""
        last = body["packs"][-1]
        self.cursors.append(Cursor(body["next_cursor"], key[0], dict(filters), (last["name"], last["id"])))
        return str(body["next_cursor"])

    def walk_revisions(self, key: Key, pack_id: str, limit: int) -> None:
        """Ask for a whole ledger, page by page."""
        caller = self.caller(key)
        query, start = {"limit": str(limit)}, 0
        while True:
            answer = self._meet(partial(self.clients.list_revisions, key, pack_id, query), None)

            def predict(model: Model, start: int = start, body: Any = answer.body) -> Expected:
                entries = model.revisions(caller, pack_id)
                page: dict[str, Any] = {
                    "revisions": [entry.view() for entry in entries[start : start + limit]]
                }
                if len(entries) > start + limit:
                    page["next_cursor"] = body.get("next_cursor", "missing")
                return Expected(200, page)

            self._settle([Branch(w, outcome(w, predict)) for w in self.worlds.models], answer, key[0])
            if "next_cursor" not in answer.body:
                return
            query, start = query | {"cursor": answer.body["next_cursor"]}, start + limit

    def look_around(self, *orgs: str) -> None:
        """Read everything that clients of some organisations can read, as after an answer that never came."""
        with self.clients.let_in():
            for org in orgs:
                self._look_around(org)

    def _look_around(self, org: str) -> None:
        key = (org, READER)
        caller, cursor = self.caller(key), None
        while self.list_page(key, {"owned": "true"}, 100, cursor):
            cursor = self.cursors[-1]
        for pack_id in [p.id for p in self.worlds.one.packs if p.org == org and p.id is not None]:
            self.walk_revisions(key, pack_id, 50)
        for upload in [u.id for u in self.worlds.one.uploads if u.org == org and u.id is not None]:
            self.read(partial(self.clients.get_upload, key, upload), partial(_get_upload, caller, upload))
        for role in sorted(role for owner, role in self.roles if owner == org):
            self.read(partial(self.clients.get_role, key, role), partial(_get_role, caller, role))

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
        trouble = self._trouble(fate)
        returned = self._meet(lambda: deliver(self.service, body), _later(fate, -2))
        branches = [branch for world in self.worlds.models for branch in self._builds(world, number, trouble)]
        kept = [world for world, settled in branches if returned is None or settled == (returned == [])]
        assert kept, f"the message came {'back' if returned else 'to its end'}, which no state allows"
        if returned == []:
            self.unheard.discard(index)
        self.worlds.keep(kept)
        self._collect()
        self._steps += 1
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
        trouble = self._trouble(fate)
        returned = self._meet(lambda: self.service.deliver_bodies([body]), _later(fate, -2))
        if returned:
            assert trouble.any, f"{body} came back"
        elif returned == [] and body in self.mail:
            self.mail.remove(body)
            self.settled_mail.append(body)
        message = json.loads(body)
        due = self.service.clock().isoformat() >= message["due_at"].replace("Z", "+00:00")
        if due and message["kind"] == "pack_deletion":
            self._deletion_comes_due(message["pack_id"], trouble, returned)
        elif due and message["kind"] == "orphan_image":
            self._image_comes_due(message, trouble)
        self._collect()
        self._steps += 1
        if returned is None:
            self.look_around(*ORGS)
            assert_sound(self.service, pending=self.mail)

    def _deletion_comes_due(self, pack_id: str, trouble: Trouble, returned: list[str] | None) -> None:
        self._hold(pack_id, trouble)
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
                entry.content.image.digest == message["digests"][0] for entry in holder.ledger
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
        self._latest = max(self._latest, self.service.clock.now)

    def step_back(self, by: timedelta) -> None:
        self.service.clock.now = max(self.service.clock.now - by, self._latest - _STEPS_BACK)

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
            assert self._latest > pack.gone_at + TOMBSTONE_KEPT
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
            self._collect()
            for body in list(self.mail):
                self.deliver_message(body, None)
            if not self.mail:
                break
        self.pass_time(timedelta(hours=1))
        self.worlds.at(self.service.clock.now)
        self.worlds.each(Model.settle)
        self.look_around(*ORGS)
        assert_sound(self.service, pending=self.mail, settled=True)
        self._settled_at = self._steps


def _get_upload(caller: Caller, upload_id: str, model: Model) -> Expected:
    return model.get_upload(caller, upload_id)


def _get_role(caller: Caller, role: str, model: Model) -> Expected:
    return model.get_role(caller, role)


def _later(fate: Fate | None, calls: int) -> Fate | None:
    """Return a fate that has no authorizer to wait for."""
    return (
        None
        if fate is None
        else replace(fate, moment=fate.moment + (calls if fate.kind == "outage" else 2 * calls))
    )


def _learn_ids(listed: Sequence[Pack], found: Sequence[Mapping[str, Any]], org: str) -> None:
    """Learn which id a pack has that nobody has told yet, from the owner's own listing."""
    known = {pack.id for pack in listed}
    for pack in listed:
        if pack.id is None and pack.org == org:
            ids = [f["id"] for f in found if f["owned"] and f["name"] == pack.name and f["id"] not in known]
            if ids:
                pack.id = ids[0]
