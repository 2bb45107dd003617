"""One run of the service beside its models: requests, messages and time, and what each may do to the states."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from itertools import count as count_from
from typing import Any, Final, NamedTuple

from hypothesis.stateful import RuleBasedStateMachine
from tests.aws import TABLE
from tests.changes import archive_of
from tests.engine.taps import Crash, Failure, Killed
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Answer
from tests.reliability.invariants import assert_sound
from tests.reliability.model.clients import DOMAIN, ORGS, SLUGS, Clients, operators_keys, takes
from tests.reliability.model.contract import COMES_BACK, FORM_TIME, SETTLED, Cursor, Model
from tests.reliability.model.packs import Content, Pack
from tests.reliability.model.possible_states import (
    Asked,
    Branch,
    Trouble,
    builds,
    endings,
    followings,
    settled,
    sweeps,
    ways,
)
from tests.reliability.model.state import HOLD, READER, Key, Login
from tests.reliability.tally import count
from tests.service import DEADLINE, running_service
from tests.signatures import Key as Signer
from tests.signatures import bundle, fall_back, refer, statement
from tests.staged_uploads import deliver
from tests.third_party_images import Blob, image

from packyard.packs.timestamp import format_timestamp
from packyard.store.keys import name_key, pack_key
from packyard.store.wire import from_wire

_CHECKED_EVERY: Final = 8
# The authorizer's two reads come before the operation's own requests.
_AUTHORIZER: Final = 2
# The least that the contract leaves open; the decision on deletions says thirty days.
_TOMBSTONE_KEPT: Final = timedelta(days=30)
# The table's TTL deletes late; the clocks of two functions differ by less.
_TTL_LAG: Final = timedelta(minutes=10)

# What happens to a request: its function `dies` before one of its requests, or an `outage` refuses one of its calls to
# AWS; and the number of that request or call, from 0.
Fate = tuple[str, int]


class Ask(NamedTuple):
    """What every request has: who asks, for which pack, on what condition, and what happens to it."""

    key: Key
    pick: int = 0
    if_match: str | None = None
    once: str | None = None
    fate: Fate | None = None
    # Whether a dry run of it comes first, where there is one.
    tried: bool = False


class Run(RuleBasedStateMachine):
    """Sends what the rules ask for, and lets things happen that no client asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = ExitStack()
        self.service = self.opened.enter_context(running_service(api_domain=DOMAIN))
        self.opened.enter_context(self.service.wire.laid())
        self.elsewhere = self.opened.enter_context(FakeRegistry())
        self.clients = Clients(self.service)
        host = self.service.registry.url.partition("://")[2]
        # What the service may be: at least one state.
        now = self.service.clock.now
        self.states = [Model(now=now, lease=DEADLINE, host=host, slugs=SLUGS, keys=operators_keys())]
        # Messages to `clean_up` that are not settled, and those that are: a queue may deliver them once more.
        self.inbox: list[str] = []
        self.settled: list[str] = []
        # What S3 has told the build queue, with the number of the upload; and which of it is not settled.
        self.notices: list[tuple[int, str]] = []
        self.unsettled_notices: set[int] = set()
        self.cursors: list[Cursor] = []
        self.roles: set[tuple[str, str]] = set()
        self.logins: list[Login] = []
        self.made_keys = 0
        self.latest = self.service.clock.now
        self.steps = self.settled_at = 0

    @property
    def one(self) -> Model:
        """One of the states: enough to choose what to ask for."""
        return self.states[0]

    def request(self, operation: str, ask: Ask, told: dict[str, Any] | None = None, **args: Any) -> Any:
        """Send a request, and return the body of its answer.

        Args:
            operation: The name of a method of `Model`.
            ask: Who asks, and so on. Its condition counts unless `args` has one.
            told: What the model has to know besides.
            args: What the request states.
        """
        if takes(operation, "If-Match") and "if_match" not in args:
            pack = self.one.find(args.get("pack_id"))
            revision = len(pack.history) if pack else 1
            if role_id := args.get("role_id"):
                revision = len(self.one.roles.get((ask.key[0], role_id), []))
            conditions = {"right": str(revision), "stale": str(revision + 7)}
            args["if_match"] = conditions.get(ask.if_match or "", ask.if_match)
        key = self.usable(ask.key)
        if ask.tried and takes(operation, "dry_run"):
            first = ask._replace(tried=False, fate=None, once=None)
            self.request(operation, first, told, **args, dry_run=True)
        once = ask.once if takes(operation, "Idempotency-Key") else None
        asked, trouble = Asked(operation, key, args, once, told or {}), self.trouble_of(ask.fate)
        answer = self.meet(lambda: self.clients.send(operation, key, args, once), ask.fate)
        self.settle(partial(ways, asked=asked, trouble=trouble, died=answer is None), answer, key[0])
        if "registry" in trouble and "image_ref" in args:
            # Whether the registry has said what the image brings.
            for pack_id in [pack.id for pack in self.one.packs if pack.org == key[0] and pack.brought]:
                self.request("list_attestations", Ask((key[0], READER)), pack_id=pack_id)
        if answer is None and operation == "create_key":
            self.walk("list_keys", (key[0], READER), 50)
        if answer is None and operation == "create_feed":
            self.walk("list_feeds", (key[0], READER), 50)
        if answer is None and "webhook" in operation:
            self.request("list_webhooks", Ask((key[0], READER)))
        return answer and answer.body

    def usable(self, key: Key) -> Key:
        """Return the key itself; the latest that a caller has made, if a number is over those of the operator."""
        org, number = key
        made = [made for made in self.clients.secrets if made[0] == org and made[1] > READER]
        return key if number <= READER else (made or [(org, 0)])[-1]

    def trouble_of(self, fate: Fate | None) -> Trouble:
        moods = (*self.service.registry.moods, *self.elsewhere.moods)
        fails = any(mood.times != 0 for mood in moods)
        return frozenset((["registry"] if fails else []) + ([fate[0]] if fate else []))

    def meet(self, act: Callable[[], Any], fate: Fate | None, *, first: int = _AUTHORIZER) -> Any:
        """Do something with a fate, and return what comes of it, or None when its function died.

        `first` is how many requests come before those that the fate counts.
        """
        for model in self.states:
            model.now = self.service.clock.now
        if fate is None:
            return act()
        kind, at = fate[0], first + fate[1]
        count(f"model: {kind}")
        outage = Failure(at=at, only=lambda point: point.is_aws)
        try:
            with self.service.wire.tapped(outage if kind == "outage" else Crash(at=at)):
                return act()
        except Killed:
            self.service.new_process()
            self.service.wire.hang_up()
            return None

    def settle(self, found: Callable[[Model], Iterable[Branch]], answer: Answer | None, *orgs: str) -> None:
        """Keep what an answer agrees with. Where none came, look at all that some organisations have."""
        self.states = settled([branch for model in self.states for branch in found(model)], answer)
        while bodies := self.service.aws.queued():
            self.inbox += bodies
        if answer is None:
            self.look_around(*orgs)
        self.steps += 1
        if answer is None or self.steps % _CHECKED_EVERY == 0:
            assert_sound(self.service, pending=self.inbox)

    def list_page(self, key: Key, filters: Mapping[str, str], limit: int, at: Cursor | None = None) -> None:
        """Ask for a page, and keep the next one's cursor, if there is one."""
        query = {**filters, "limit": str(limit)} | ({"cursor": at.text} if at else {})
        body = self.request("list_packs", Ask(key), {"cursor": at}, query=query)
        if "next_cursor" in body:
            last = body["packs"][-1]
            self.cursors.append(Cursor(body["next_cursor"], key[0], filters, (last["name"], last["id"])))

    def walk(self, operation: str, key: Key, limit: int, **args: Any) -> None:
        """Ask for a whole list, page by page."""
        query = {"limit": str(limit)}
        for start in count_from(0, limit):
            body = self.request(operation, Ask(key), {"start": start}, **args, query=query)
            if "next_cursor" not in body:
                return
            query = query | {"cursor": body["next_cursor"]}

    def pull_image(self, login: Login, pack: Pack, content: Content) -> None:
        """Ask the distribution door for an image of a pack."""
        place = SLUGS[pack.org], pack.name
        answer = self.meet(lambda: self.clients.pull(login, *place, content.image_digest or ""), None)

        def pulls(model: Model) -> list[Branch]:
            return [(model, expected) for expected in model.pull(login, *place, content)]

        self.settle(pulls, answer, login.org)

    def stream_tells(self, pack_id: str, fate: Fate | None) -> None:
        """Let the table's stream tell of a pack: of a change of its image, and of roles that follow it."""
        event, trouble = {"Records": self.service.stream_of(pack_id)}, self.trouble_of(fate)

        def tell() -> Answer:
            return Answer(200, {}, self.service.invoke("follow_packs", event)["batchItemFailures"])

        answer = self.meet(tell, fate, first=0)
        self.settle(partial(followings, pack_id=pack_id, trouble=trouble), answer, *ORGS)

    def look_around(self, *orgs: str, whole: bool = False) -> None:
        """Read everything that clients of some organisations can read, as after an answer that never came."""
        self.clients.remembers = True
        for org in orgs:
            key = (org, READER)
            self.list_page(key, {"owned": "true"}, 100)
            for pack_id in [p.id for p in self.one.packs if p.org == org and p.id]:
                self.walk("list_revisions", key, 50, pack_id=pack_id)
            for upload_id in [u.id for u in self.one.uploads if u.caller.org == org and u.id]:
                self.request("get_upload", Ask(key), upload_id=upload_id)
            for role in sorted(role for owner, role in self.roles if owner == org):
                self.request("get_role_packs", Ask(key), role_id=role)
            if whole:
                self.request("get_usage", Ask((org, 0)))
                self.walk("list_roles", key, 50)
                self.walk("list_keys", key, 50)
                self.walk("list_feeds", key, 50)
                for role in sorted(role for owner, role in self.roles if owner == org):
                    self.walk("list_role_revisions", key, 50, role_id=role)
        self.clients.remembers = False

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
    def followed(self) -> list[str]:
        """The packs of which the table's stream has something to tell: roles follow them, or their images go."""
        pins = (pin for history in self.one.roles.values() for pin in history[-1].pins)
        others = (pack for pack in self.one.packs if pack.images or pack.keep is not None)
        told = {pack.id for pack in others if pack.id is not None and not pack.gone_at}
        return sorted({pin.pack_id for pin in pins if pin.follow} | told)

    @property
    def can_send(self) -> list[tuple[int, str]]:
        """The numbers and ids of the uploads whose form S3 still takes."""
        since = self.service.clock.now - FORM_TIME
        return [(n, u.id) for n, u in enumerate(self.one.uploads) if u.id is not None and u.since >= since]

    def deliver_notice(self, index: int, fate: Fate | None) -> None:
        """Deliver a notice of S3 to `build_upload`."""
        index %= len(self.notices)
        number, body = self.notices[index]
        trouble = self.trouble_of(fate)
        answer = self.meet(lambda: Answer(200, {}, deliver(self.service, body)), fate, first=0)
        if answer and not answer.body:
            self.unsettled_notices.discard(index)
        org = self.one.uploads[number].caller.org
        self.settle(partial(builds, number=number, trouble=trouble), answer, org)
        if answer:
            self.look_around(org)

    def deliver_message(self, body: str, fate: Fate | None) -> None:
        """Deliver a message to `clean_up`."""
        trouble, message, due = self.trouble_of(fate), json.loads(body), self.service.is_due(body)
        may_be_held = not due or self._is_busy(message)
        answer = self.meet(lambda: Answer(200, {}, self.service.deliver_bodies([body])), fate, first=0)
        if answer and answer.body:
            assert may_be_held if self.service.held else trouble, f"{body} came back"
        elif answer:
            assert due, f"{body} was settled before its time"
            if body in self.inbox:
                self.inbox.remove(body)
                self.settled.append(body)
        cleanups = partial(_cleanups, message=message if due else {}, trouble=trouble)
        self.settle(cleanups, answer, *ORGS)

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
            for model in self.states if item["SK"]["S"] == "KEY" else ():
                # It was not valid any more, and is not listed from now on.
                model.keys = {
                    at: key for at, key in model.keys.items() if key.id != from_wire(item)["key_hash"]
                }
            for model in self.states if item["SK"]["S"] == "PACK" else ():
                # A repeated deletion is now told that there is no such pack.
                pack = model.known(from_wire(item)["id"])
                assert pack is not None
                assert pack.gone_at is not None, "a pack that is not deleted has expired"
                assert self.latest > pack.gone_at + _TOMBSTONE_KEPT
                model.packs.remove(pack)

    def push_elsewhere(self, name: str, manifest: bytes, tag: str, signers: Sequence[Signer]) -> None:
        """Somebody pushes an image to a registry of their own, perhaps under a tag that exists.

        It is signed by these, and by nobody else any more.
        """
        repository = f"team/{name}"
        content = Content.of({"pack.yaml": manifest, "guides/theirs.md": b"theirs"}, "them")
        made = image(Blob(archive_of(content.files)))
        shelf = self.elsewhere.shelves.repository(repository, create=True)
        digest = made.shelve(shelf, tag)
        signed = [refer(shelf, made.manifest, bundle(signer, statement(digest))) for signer in signers]
        fall_back(shelf, made.manifest, *signed)
        assert content.image_digest in (None, digest)
        content.image_digest = digest
        place = f"{self.elsewhere.url.partition('://')[2]}/{repository}"
        for model in self.states:
            model.elsewhere.setdefault(repository, {})[tag] = content
            model.pushed_elsewhere.add((repository, content))
            model.signed[place, content] = frozenset(signer.pem for signer in signers)

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
            if hours:
                for body in list(self.inbox):
                    self.deliver_message(body, None)
                if not self.inbox:
                    break
        for pack_id in self.followed:
            self.stream_tells(pack_id, None)
        while self.inbox:
            # What follows from policies, now that pins have moved.
            self.pass_time(timedelta(minutes=20))
            for body in list(self.inbox):
                self.deliver_message(body, None)
        self.pass_time(timedelta(hours=1))
        for model in self.states:
            model.now = self.service.clock.now
            model.abandoned.clear()
            model.busy.clear()
        self.look_around(*ORGS, whole=True)
        assert_sound(self.service, pending=self.inbox, settled=True)
        self.settled_at = self.steps


def _cleanups(model: Model, message: Mapping[str, Any], trouble: Trouble) -> Iterator[Branch]:
    """Yield what a cleanup message that is due may do."""
    if message.get("kind") == "pack_deletion":
        model.hold(message["pack_id"], in_trouble=bool(trouble))
        pack = model.find(message["pack_id"])
        if pack is not None and pack.deletion:
            yield model.copy(), COMES_BACK
            model.finish_deletion(pack)
            yield model, SETTLED
            return
    elif message.get("kind") == "retention_sweep":
        yield from sweeps(model, message["pack_id"], trouble)
        return
    elif message.get("kind") == "revision_deletion":
        yield from endings(model, message, trouble)
        return
    elif message.get("kind") == "orphan_image":
        name, digest = (message["org_id"], message["name"]), message["digests"][0]
        holder = model.holder(*name)
        used = [entry.content.image_digest for entry in holder.history] if holder else []
        if trouble and digest not in used:
            model.busy[name] = model.now + HOLD
        if holder and not holder.deletion and digest == used[-1]:
            # The message of an image that is in use puts its tag right.
            model.in_trouble = bool(trouble)
            model.set_tag(holder, holder.content)
    yield model, SETTLED
    yield model, COMES_BACK
