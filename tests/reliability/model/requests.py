"""Sends requests, and checks every answer against the states that the service may be in."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from itertools import count as count_from
from typing import Any, Final, NamedTuple

from hypothesis.stateful import RuleBasedStateMachine
from tests.engine.taps import Crash, Failure, Killed
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Answer
from tests.reliability.invariants import assert_sound
from tests.reliability.model.clients import DOMAIN, READER, Clients, Key, api_key_of
from tests.reliability.model.contract import Cursor, Model
from tests.reliability.model.possible_states import Asked, Branch, Trouble, settled, ways
from tests.reliability.model.state import Caller
from tests.reliability.tally import count
from tests.service import DEADLINE, running_service

_CHECKED_EVERY: Final = 8
_EDITING: Final = frozenset({"reupload_pack", "change_pack"})
_REPEATABLE: Final = _EDITING | {"upload_pack", "create_pack", "clone_pack", "start_upload"}
_CONDITIONAL: Final = _EDITING | {"replace_pack", "update_pack", "put_file", "delete_pack", "start_upload"}
# The authorizer's two reads come before the operation's own requests.
_AUTHORIZER: Final = 2


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


class Requests(RuleBasedStateMachine):
    """Sends what the rules ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = ExitStack()
        self.service = self.opened.enter_context(running_service(api_domain=DOMAIN))
        self.opened.enter_context(self.service.wire.laid())
        self.elsewhere = self.opened.enter_context(FakeRegistry())
        self.clients = Clients(self.service)
        host = self.service.registry.url.partition("://")[2]
        # What the service may be: at least one state.
        self.states = [Model(now=self.service.clock.now, lease=DEADLINE, host=host)]
        # Messages to `clean_up` that are not settled, and those that are: a queue may deliver them once more.
        self.inbox: list[str] = []
        self.settled: list[str] = []
        # What S3 has told the build queue, with the number of the upload; and which of it is not settled.
        self.notices: list[tuple[int, str]] = []
        self.unsettled_notices: set[int] = set()
        self.cursors: list[Cursor] = []
        self.revoked: set[Key] = set()
        self.roles: set[tuple[str, str]] = set()
        self.latest = self.service.clock.now
        self.steps = self.settled_at = 0

    @property
    def one(self) -> Model:
        """One of the states: enough to choose what to ask for."""
        return self.states[0]

    def write(self, operation: str, ask: Ask, **args: Any) -> None:
        """Send a request that may change something, on the condition that is asked for unless another is stated."""
        if operation in _CONDITIONAL and "if_match" not in args:
            pack = self.one.find(args["pack_id"])
            revision = 1 if pack is None else pack.revision
            conditions = {"right": str(revision), "stale": str(revision + 7)}
            args["if_match"] = conditions.get(ask.if_match or "", ask.if_match)
        once = ask.once if operation in _REPEATABLE else None
        self.request(operation, ask.key, args, ask.fate, once)

    def request(
        self,
        operation: str,
        key: Key,
        args: dict[str, Any],
        fate: Fate | None = None,
        once: str | None = None,
        **more: Any,
    ) -> Any:
        """Send a request with what it states, and return the body of its answer. The model is told `more`."""
        actor = f"key:{api_key_of(key).key_id}"
        caller = Caller(key[0], actor, may_write=key[1] != READER, revoked=key in self.revoked)
        asked, trouble = Asked(operation, caller, args, once, more), self.trouble_of(fate)
        answer = self.meet(lambda: self.clients.send(operation, key, args, once), fate)
        found = [
            branch for model in self.states for branch in ways(asked, model, trouble, died=answer is None)
        ]
        self.settle(found, answer, key[0])
        return answer and answer.body

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

    def settle(self, branches: Iterable[Branch], answer: Answer | None, *orgs: str) -> None:
        """Keep what an answer agrees with. Where none came, look at all that some organisations have."""
        self.states = settled(branches, answer)
        self.collect()
        if answer is None:
            self.look_around(*orgs)
        self.steps += 1
        if answer is None or self.steps % _CHECKED_EVERY == 0:
            assert_sound(self.service, pending=self.inbox)

    def collect(self) -> None:
        while bodies := self.service.aws.queued():
            self.inbox += bodies

    def list_page(
        self, key: Key, filters: Mapping[str, str], limit: int, cursor: Cursor | None = None
    ) -> None:
        """Ask for a page, and keep the next one's cursor, if there is one."""
        query = {**filters, "limit": str(limit)} | ({"cursor": cursor.text} if cursor else {})
        body = self.request("list_packs", key, {"query": query}, cursor=cursor)
        if "next_cursor" in body:
            last = body["packs"][-1]
            self.cursors.append(Cursor(body["next_cursor"], key[0], filters, (last["name"], last["id"])))

    def walk_revisions(self, key: Key, pack_id: str, limit: int) -> None:
        """Ask for a whole history, page by page."""
        args: dict[str, Any] = {"pack_id": pack_id, "query": {"limit": str(limit)}}
        for start in count_from(0, limit):
            body = self.request("list_revisions", key, args, start=start)
            if "next_cursor" not in body:
                return
            args = args | {"query": {"limit": str(limit), "cursor": body["next_cursor"]}}

    def look_around(self, *orgs: str) -> None:
        """Read everything that clients of some organisations can read, as after an answer that never came."""
        self.clients.remembers = True
        for org in orgs:
            key = (org, READER)
            self.list_page(key, {"owned": "true"}, 100)
            for pack_id in [p.id for p in self.one.packs if p.org == org and p.id]:
                self.walk_revisions(key, pack_id, 50)
            for upload_id in [u.id for u in self.one.uploads if u.caller.org == org and u.id]:
                self.request("get_upload", key, {"upload_id": upload_id})
            for role in sorted(role for owner, role in self.roles if owner == org):
                self.request("get_role_packs", key, {"role_id": role})
        self.clients.remembers = False
