"""Taking revisions back: withdrawal, restoration, deletion of content, retention (API contract, section 7).

All of it acts on images, so on every revision of a pack that has one.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Final
from unittest.mock import ANY

from tests.reliability.model.expectations import Expected, IfStated, Refused, SomeOf, require
from tests.reliability.model.packs import Content, Entry, ImageState, Pack, Removal, Withdrawal
from tests.reliability.model.state import State

_FORCED_AFTER: Final = timedelta(hours=24)
# How far a deletion may get: from the decision on, clients are told that the content is gone.
MARKED, DECIDED = "marked", "decided"


class Images(State):
    """The operations that take revisions back."""

    def withdraw_revision(self, pack_id: str, n: str, reason: str, if_match: str | None) -> Expected:
        """Nobody can begin to use the image. The first reason stays."""
        pack, entry = self._revision(pack_id, n, if_match)
        state = self._settled(pack, entry)
        withdrawal = Withdrawal(int(n), reason, self.caller.actor, self.now)
        pack.images[entry.content] = replace(state, withdrawal=state.withdrawal or withdrawal)
        return Expected(200, pack.entry_view(int(n)))

    def restore_revision(self, pack_id: str, n: str, if_match: str | None) -> Expected:
        pack, entry = self._revision(pack_id, n, if_match)
        pack.images[entry.content] = replace(self._settled(pack, entry), withdrawal=None)
        return Expected(200, pack.entry_view(int(n)))

    def delete_revision(
        self, pack_id: str, n: str, if_match: str | None, query: dict[str, str], until: str = DECIDED
    ) -> Expected:
        """Pins hold an image, and so does the pack whose current image it is. Force counts a day after withdrawal."""
        pack, entry = self._revision(pack_id, n, if_match)
        if entry.content is pack.content:
            raise _in_use()
        state = pack.image(entry.content)
        if state.status != "deleted":
            since = state.withdrawal and state.withdrawal.at + _FORCED_AFTER
            forced = "force" in query and since is not None and self.now >= since
            pack.images[entry.content] = replace(state, removal=Removal(int(n), forced=forced))
            if until == DECIDED:
                self.decide(pack, entry.content)
        removal = pack.image(entry.content).removal
        if removal is None:
            raise self._refused(pack, entry.content)
        body = {"status": "deleted", "also_in": SomeOf(removal.also_in), "clones": removal.clones}
        return Expected(200, body | {"not_compared": IfStated(ANY)})

    def decide(self, pack: Pack, content: Content) -> None:
        """Delete a marked image, unless roles pin it: then the mark is taken away."""
        state = pack.image(content)
        if state.removal is None or state.status == "deleted":
            return
        if not state.removal.forced and any(self._holders(pack, content)):
            pack.images[content] = replace(state, removal=None)
            return
        mine = {held for held in content.files.values() if held}
        also_in = [
            number
            for number, entry in enumerate(pack.history, start=1)
            if entry.content is not content
            and pack.image(entry.content).status != "deleted"
            and not mine.isdisjoint(entry.content.files.values())
        ]
        removal = state.removal._replace(
            decided=True, also_in=tuple(also_in[::-1]), clones=pack.clones.get(content, 0)
        )
        pack.images[content] = replace(state, removal=removal)
        for version, named in self.tags.get((pack.org, pack.name), {}).items():
            if content in named:
                self.tags[pack.org, pack.name][version] = self.without(named, content)

    def swept(self, pack: Pack) -> Iterator[Content]:
        """Yield the images that a pack's policy lets go, the oldest first."""
        kept = len(pack.history) if pack.keep is None or pack.deletion else pack.keep
        new = [entry.content for entry in pack.history[-kept:]]
        for content in dict.fromkeys(entry.content for entry in pack.history[:-kept]):
            begun = pack.image(content).removal is not None
            if content not in new and (begun or not any(self._holders(pack, content))):
                yield content

    def sweep(self, pack_id: str, content: Content, *, until: str = DECIDED) -> None:
        """Delete an image for a policy."""
        pack = self.find(pack_id)
        assert pack is not None
        state = pack.image(content)
        if state.removal is None:
            named = [number for number, entry in enumerate(pack.history, 1) if entry.content is content]
            pack.images[content] = replace(state, removal=Removal(named[-1]))
        if until == DECIDED:
            self.decide(pack, content)

    def get_retention(self, pack_id: str) -> Expected:
        return _policy(self._owned(pack_id))

    def set_retention(self, pack_id: str, keep: int | None, if_match: str | None) -> Expected:
        pack = self._owned(pack_id)
        require(not pack.deletion, 409, "pack_deleting")
        require(if_match in (None, "*", _tag(pack)), 412, "precondition_failed")
        pack.keep = keep
        return _policy(pack)

    def _owned(self, pack_id: str) -> Pack:
        pack = self.find(pack_id)
        if pack is None or pack.org != self.caller.org:
            raise Refused(404, "pack_not_found")
        return pack

    def _revision(self, pack_id: str, n: str, if_match: str | None) -> tuple[Pack, Entry]:
        pack = self.own(pack_id, 403, "permission_denied")
        require(1 <= int(n) <= len(pack.history), 404, "revision_not_found", pack_id=pack_id)
        self.require_current(pack, if_match)
        return pack, pack.history[int(n) - 1]

    @staticmethod
    def _settled(pack: Pack, entry: Entry) -> ImageState:
        """Refuse what is deleted, and what is being looked at for its deletion."""
        state = pack.image(entry.content)
        require(state.status != "deleted", 404, "revision_not_found", pack_id=pack.id)
        require(state.removal is None, 409, "pack_modified")
        return state

    def _holders(self, pack: Pack, content: Content) -> Iterator[tuple[str, str]]:
        """Yield the roles that pin an image."""
        for org, role_id in self.holders(pack):
            pins = [pin for pin in self.pins(org, role_id) if pin.pack_id == pack.id]
            if any(self.at(pin)[1].content is content for pin in pins):
                yield org, role_id

    def _refused(self, pack: Pack, content: Content) -> Refused:
        holders = sorted(self._holders(pack, content))
        own = [role_id for org, role_id in holders if org == pack.org]
        return _in_use(own, len(holders) - len(own))


def _in_use(role_ids: list[str] | None = None, others: int = 0) -> Refused:
    references = {"role_ids": role_ids or [], "other_organisations": others}
    return Refused(409, "revision_in_use", references=references)


def _tag(pack: Pack) -> str:
    return f"keep-{'all' if pack.keep is None else pack.keep}"


def _policy(pack: Pack) -> Expected:
    return Expected(200, {"keep": pack.keep}, f'"{_tag(pack)}"')
