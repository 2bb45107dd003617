"""Where the machine plays: a running service, all that is on its way to it, and the worlds that it may be in."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from hypothesis.stateful import RuleBasedStateMachine
from tests.crashes import Killed, fused
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Answer
from tests.reliability.clients import (
    DOMAIN,
    READER,
    Clients,
    outage,
    principal_of,
)
from tests.reliability.expectations import Expected, Refused
from tests.reliability.invariants import assert_sound
from tests.reliability.model import Model
from tests.reliability.model_packs import Content, Pack, Reference
from tests.reliability.model_state import Caller
from tests.reliability.tally import count
from tests.reliability.worlds import HOLD, Branch, Predict, Trouble, Worlds, branches_of, outcome
from tests.service import DEADLINE, running_service

Key = tuple[str, int]
_CHECKED_EVERY: Final = 8


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
        self.opened = ExitStack()
        self.service = self.opened.enter_context(running_service(api_domain=DOMAIN))
        self.elsewhere = self.opened.enter_context(FakeRegistry())
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
        self.latest = self.service.clock.now
        self.steps = 0
        self.settled_at = 0

    @property
    def unsettled_steps(self) -> int:
        """How much has been done since everything was settled last."""
        return self.steps - self.settled_at

    def caller(self, key: Key) -> Caller:
        return Caller(key[0], principal_of(key), may_write=key[1] != READER, revoked=key in self.revoked)

    # -- requests -------------------------------------------------------------------------------------------------

    def read(self, send: Callable[[], Answer], predict: Predict) -> None:
        self.write("", send, predict, None)

    def read_files(self, pack_id: str, send: Callable[[], Answer], predict: Predict) -> None:
        """Read what lies in an image, which goes before its pack does."""
        trouble, answer = self.trouble_of(None), self.meet(send, None)
        branches = [
            branch
            for world in self.worlds.models
            for branch in branches_of(world, predict, trouble, died=False)
        ]
        for world in self.worlds.models:
            pack = world.find(pack_id)
            if pack is not None and pack.status == "deleting":
                branches.append(Branch(world.copy(), Refused.by_fields("id").expected))
        self._settle(branches, answer, "")

    def write(
        self,
        org: str,
        send: Callable[[], Answer],
        predict: Predict,
        fate: Fate | None,
        place: tuple[str, str, str] | None = None,
    ) -> None:
        trouble = self.trouble_of(fate)
        answer = self.meet(send, fate)
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
        trouble = self.trouble_of(fate)
        answer = self.meet(send, fate)
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
        trouble = self.trouble_of(fate)
        answer = self.meet(lambda: self.clients.delete(key, pack_id, if_match), fate)
        self.hold(pack_id, trouble)

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

    def hold(self, pack_id: str, trouble: Trouble) -> None:
        """Whoever dies while clearing a repository up holds it for a while; so do those who join in."""

        def prolong(model: Model) -> None:
            pack = next((pack for pack in model.packs if pack.id == pack_id), None)
            if pack is not None and (trouble.any or model.is_busy((pack.org, pack.name))):
                model.busy[pack.org, pack.name] = model.now + HOLD

        self.worlds.each(prolong)

    def trouble_of(self, fate: Fate | None) -> Trouble:
        return Trouble(
            dies=fate is not None and fate.kind == "dies",
            outage=fate is not None and fate.kind == "outage",
            registry=any(mood.times != 0 for mood in (*self.service.registry.moods, *self.elsewhere.moods)),
        )

    def meet(self, send: Callable[[], Any], fate: Fate | None) -> Any:
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
        self.collect()
        if answer is None:
            self.look_around(org)
        self.steps += 1
        if answer is None or self.steps % _CHECKED_EVERY == 0:
            assert_sound(self.service, pending=self.mail)

    def collect(self) -> None:
        while bodies := self.service.aws.queued():
            self.mail += bodies

    # -- listings -------------------------------------------------------------------------------------------------

    def list_page(
        self, key: Key, filters: Mapping[str, str], limit: int, cursor: Cursor | None = None
    ) -> str:
        """Ask for a page, and return the next one's cursor, empty after the last."""
        caller = self.caller(key)
        query = {**filters, "limit": str(limit)} | ({"cursor": cursor.text} if cursor else {})
        answer = self.meet(lambda: self.clients.list_packs(key, query), None)
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
        """Ask for a whole history, page by page."""
        caller = self.caller(key)
        query, start = {"limit": str(limit)}, 0
        while True:
            answer = self.meet(partial(self.clients.list_revisions, key, pack_id, query), None)

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


def _get_upload(caller: Caller, upload_id: str, model: Model) -> Expected:
    return model.get_upload(caller, upload_id)


def _get_role(caller: Caller, role: str, model: Model) -> Expected:
    return model.get_role(caller, role)


def _learn_ids(listed: Sequence[Pack], found: Sequence[Mapping[str, Any]], org: str) -> None:
    """Learn which id a pack has that nobody has told yet, from the owner's own listing."""
    known = {pack.id for pack in listed}
    for pack in listed:
        if pack.id is None and pack.org == org:
            ids = [f["id"] for f in found if f["owned"] and f["name"] == pack.name and f["id"] not in known]
            if ids:
                pack.id = ids[0]
