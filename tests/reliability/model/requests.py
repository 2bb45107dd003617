"""Sends requests, and checks every answer against the states that the service may be in."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from hypothesis.stateful import RuleBasedStateMachine
from tests.engine.taps import Crash, Failure, Killed
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Answer
from tests.reliability.invariants import assert_sound
from tests.reliability.model.choices import Ask, Fate
from tests.reliability.model.clients import DOMAIN, READER, Clients, Key, principal_of
from tests.reliability.model.contract import Model
from tests.reliability.model.expectations import Expected, Refused
from tests.reliability.model.packs import Pack, Reference
from tests.reliability.model.possible_states import HOLD, Branch, PossibleStates, Trouble, branches_of
from tests.reliability.model.state import Caller
from tests.reliability.tally import count
from tests.service import DEADLINE, running_service

_CHECKED_EVERY: Final = 8
_WITH_KEY: Final = frozenset({"upload", "reupload", "create", "clone", "change", "start_upload"})
# The authorizer's two reads come before the operation's own requests.
_AUTHORIZER: Final = 2


@dataclass(frozen=True)
class Cursor:
    """Where a listing goes on, as it was answered."""

    text: str
    org: str
    filters: Mapping[str, str]
    after: tuple[str, str]


class Requests(RuleBasedStateMachine):
    """Sends what the rules ask for.

    Attributes:
        states: What the service may be.
        inbox: Messages to `clean_up` that are not settled.
        settled: Messages that are; a queue may deliver them once more.
        notices: What S3 has told the build queue, with the number of the upload that it is about.
        unsettled_notices: Those of them that are not settled, by number.
        cursors: Those that listings have been answered with.
    """

    def __init__(self) -> None:
        super().__init__()
        self.opened = ExitStack()
        self.service = self.opened.enter_context(running_service(api_domain=DOMAIN))
        self.opened.enter_context(self.service.wire.laid())
        self.elsewhere = self.opened.enter_context(FakeRegistry())
        self.elsewhere_host = self.elsewhere.url.partition("://")[2]
        self.clients = Clients(self.service)
        host = self.service.registry.url.partition("://")[2]
        self.states = PossibleStates([Model(now=self.service.clock.now, lease=DEADLINE, host=host)])
        self.inbox: list[str] = []
        self.settled: list[str] = []
        self.notices: list[tuple[int, str]] = []
        self.unsettled_notices: set[int] = set()
        self.cursors: list[Cursor] = []
        self.revoked: set[Key] = set()
        self.roles: set[tuple[str, str]] = set()
        self.latest = self.service.clock.now
        self.steps = self.settled_at = 0

    def caller(self, key: Key) -> Caller:
        return Caller(key[0], principal_of(key), may_write=key[1] != READER, revoked=key in self.revoked)

    def write(self, operation: str, ask: Ask, *args: Any, **more: Any) -> None:
        """Send a request that may change something, and what else `Model.ask` takes for it."""
        if operation in _WITH_KEY:
            more["once"] = ask.once
        self._request(operation, ask.key, ask.fate, args, more)

    def read(self, operation: str, key: Key, *args: Any, **more: Any) -> None:
        self._request(operation, key, None, args, more)

    def _request(
        self, operation: str, key: Key, fate: Fate | None, args: tuple[Any, ...], more: dict[str, Any]
    ) -> None:
        caller, trouble = self.caller(key), self.trouble_of(fate)
        answer = self.meet(lambda: self.clients.send(operation, key, *args, **more), fate)
        special: dict[str, Any] = {}
        if operation == "delete":
            # From the decision on there is one way, and the pack may be gone half of it.
            self.hold(args[0], trouble)
            special["registry_code"] = "registry_cleanup_failed"
            special["half"] = lambda model: model.ask("delete", caller, *args, **more, only_decide=True)
        if once := more.get("once"):
            special["record"] = (caller.org, operation, once)
        reference = next((arg for arg in args if isinstance(arg, Reference)), None)
        branches = [
            branch
            for model in self.states.models
            for found in ([None] if reference is None else model.resolve(reference, caller.org))
            for branch in branches_of(
                model,
                lambda model, found=found: model.ask(operation, caller, *args, **more, found=found),  # type: ignore[misc]
                trouble,
                died=answer is None,
                **special,
            )
        ]
        if operation in ("list_files", "get_file"):
            # An image goes before its pack does.
            packs = [(model, model.find(args[0])) for model in self.states.models]
            gone = Refused.by_fields("id").expected
            branches += [Branch(model.copy(), gone) for model, pack in packs if pack and not pack.is_active]
        self._settle(branches, answer, caller.org)

    def hold(self, pack_id: str, trouble: Trouble) -> None:
        """A process that dies while it cleans a repository up holds it for a while. So do those that join it."""

        def prolong(model: Model) -> None:
            pack = next((pack for pack in model.packs if pack.id == pack_id), None)
            if pack is not None and (trouble.any or model.is_busy((pack.org, pack.name))):
                model.busy[pack.org, pack.name] = model.now + HOLD

        self.states.each(prolong)

    def trouble_of(self, fate: Fate | None) -> Trouble:
        return Trouble(
            dies=fate is not None and fate.kind == "dies",
            outage=fate is not None and fate.kind == "outage",
            registry=any(mood.times != 0 for mood in (*self.service.registry.moods, *self.elsewhere.moods)),
        )

    def meet(self, act: Callable[[], Any], fate: Fate | None, *, first: int = _AUTHORIZER) -> Any:
        """Do something with a fate, and return what comes of it, or None when its function died.

        Args:
            act: What to do.
            fate: What happens to it.
            first: How many requests come before those that the fate counts.
        """
        self.states.at(self.service.clock.now)
        if fate is None:
            return act()
        count(f"model: {fate.kind}")
        at = first + fate.moment
        if fate.kind == "outage":
            with self.service.wire.tapped(Failure(at=at, only=lambda point: point.is_aws)):
                return act()
        try:
            with self.service.wire.tapped(Crash(at=at)):
                return act()
        except Killed:
            self.service.new_process()
            self.service.wire.hang_up()
            return None

    def _settle(self, branches: Sequence[Branch], answer: Answer | None, org: str) -> None:
        self.states.settle(branches, answer)
        self.collect()
        if answer is None:
            self.look_around(org)
        self.steps += 1
        if answer is None or self.steps % _CHECKED_EVERY == 0:
            assert_sound(self.service, pending=self.inbox)

    def collect(self) -> None:
        while bodies := self.service.aws.queued():
            self.inbox += bodies

    # -- listings -------------------------------------------------------------------------------------------------

    def list_page(
        self, key: Key, filters: Mapping[str, str], limit: int, cursor: Cursor | None = None
    ) -> str:
        """Ask for a page, and return the next one's cursor, empty after the last."""
        query = {**filters, "limit": str(limit)} | ({"cursor": cursor.text} if cursor else {})
        after = cursor.after if cursor else ("", "")

        def page(model: Model, caller: Caller, body: Any) -> Expected:
            if cursor is not None and cursor.org != key[0]:
                raise Refused.by_fields("cursor")
            listed = model.listing(caller, dict(filters))
            _learn_ids(listed, body.get("packs", []), key[0])
            listed.sort(key=lambda pack: (pack.name, pack.id or ""))
            left = [pack for pack in listed if (pack.name, pack.id or "") > after]
            page = {"packs": [pack.view(key[0]) for pack in left[:limit]]}
            # A page that ends where its reads end may not know that it is the last.
            return Expected(200, page | _next_cursor(body, needed=len(left) > limit, allowed=True))

        body = self._page("list_packs", key, (query,), page)
        if "next_cursor" not in body:
            return ""
        last = body["packs"][-1]
        self.cursors.append(Cursor(body["next_cursor"], key[0], dict(filters), (last["name"], last["id"])))
        return str(body["next_cursor"])

    def walk_revisions(self, key: Key, pack_id: str, limit: int) -> None:
        """Ask for a whole history, page by page."""
        query, start = {"limit": str(limit)}, 0
        while True:

            def page(model: Model, caller: Caller, body: Any, start: int = start) -> Expected:
                entries = model.revisions(caller, pack_id)
                shown = {"revisions": [entry.view() for entry in entries[start : start + limit]]}
                return Expected(200, shown | _next_cursor(body, needed=len(entries) > start + limit))

            body = self._page("list_revisions", key, (pack_id, query), page)
            if "next_cursor" not in body:
                return
            query, start = query | {"cursor": body["next_cursor"]}, start + limit

    def _page(
        self, operation: str, key: Key, args: tuple[Any, ...], page: Callable[[Model, Caller, Any], Expected]
    ) -> Any:
        caller = self.caller(key)
        answer = self.meet(lambda: self.clients.send(operation, key, *args), None)

        def predict(model: Model) -> Expected:
            model.admit(operation, caller)
            return page(model, caller, answer.body)

        expected = [Refused.or_answer(lambda m=model: predict(m)) for model in self.states.models]  # type: ignore[misc]
        self._settle(list(map(Branch, self.states.models, expected)), answer, key[0])
        return answer.body

    def look_around(self, *orgs: str) -> None:
        """Read everything that clients of some organisations can read, as after an answer that never came."""
        with self.clients.past_the_authorizer():
            for org in orgs:
                self._look_around((org, READER))

    def _look_around(self, key: Key) -> None:
        org = key[0]
        cursor = None
        while self.list_page(key, {"owned": "true"}, 100, cursor):
            cursor = self.cursors[-1]
        for pack_id in [p.id for p in self.states.one.packs if p.org == org and p.id is not None]:
            self.walk_revisions(key, pack_id, 50)
        for upload in [u.id for u in self.states.one.uploads if u.org == org and u.id is not None]:
            self.read("get_upload", key, upload)
        for role in sorted(role for owner, role in self.roles if owner == org):
            self.read("get_role", key, role)


def _next_cursor(body: Any, *, needed: bool, allowed: bool = False) -> dict[str, Any]:
    """Return the cursor that a page has to have: the one that it has."""
    has_one = needed or (allowed and "next_cursor" in body)
    return {"next_cursor": body.get("next_cursor", "missing")} if has_one else {}


def _learn_ids(listed: Sequence[Pack], found: Sequence[Mapping[str, Any]], org: str) -> None:
    """Learn the ids of packs that no answer has told yet, from the owner's own listing."""
    known = {pack.id for pack in listed}
    for pack in listed:
        if pack.id is None and pack.org == org:
            ids = [f["id"] for f in found if f["owned"] and f["name"] == pack.name and f["id"] not in known]
            if ids:
                pack.id = ids[0]
