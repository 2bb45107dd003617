"""The service as its contract has it: one organisation after the other asks, and nothing ever fails.

Written from the contract, so that it can be held against the code. Each operation returns what is answered, or raises
`Refused`. What only the service can know (ids, digests) the model learns from the first answer that states it, and
insists on from then on. What may be one way or the other (what is left after a crash, for one) is not in here: whoever
uses the model keeps several of them, and drops those that an answer contradicts.
"""

from datetime import timedelta
from typing import Final

from tests.reliability.expectations import Expected, Refused
from tests.reliability.model_packs import Content, Entry, Pack, is_pack_path
from tests.reliability.model_state import VISIBILITIES, Caller
from tests.reliability.model_uploads import StagedUploads

# The least that the contract leaves open; the decision on deletions says thirty days.
TOMBSTONE_KEPT: Final = timedelta(days=30)


class Model(StagedUploads):
    """The whole contract: here is what changes packs, reads them, and attaches them to roles."""

    # -- changing and deleting ------------------------------------------------------------------------------------

    def update(self, caller: Caller, pack_id: str, visibility: str, if_match: str | None = None) -> Expected:
        self.admit(caller, write=True, create=True)
        if visibility not in VISIBILITIES:
            raise Refused.by_fields("visibility")
        pack = self.editable(pack_id, caller)
        self.require_changeable(pack, if_match)
        if visibility != pack.visibility:
            _, others = self._references(pack)
            if visibility == "org" and others:
                raise _in_use([], others)
            pack.change("update", caller.actor, self.now, visibility=visibility)
        return pack.answer(200, caller.org)

    def put_file(
        self, caller: Caller, pack_id: str, path: str, content: bytes, if_match: str | None = None
    ) -> Expected:
        """A new image of the same version."""
        self.admit(caller, write=True, create=True)
        if not is_pack_path(path):
            raise Refused.by_fields("path")
        stated = Content.of({path: content}) if path == "pack.yaml" else None
        pack = self.editable(pack_id, caller)
        if pack.origin != "upload":
            raise Refused.by_fields("id")
        if pack.status == "deleting":
            raise Refused(409, "pack_deleting")
        if stated is not None:
            kept = {"name": pack.name, "version": pack.content.version}
            if wrong := [f for f, value in kept.items() if stated.manifest[f] != value]:
                raise Refused.by_fields(*(f"pack.yaml:{f}" for f in wrong))
        before = pack.content.files
        if path in before and if_match == pack.content.etag(path):
            if_match = None
        self.require_changeable(pack, if_match)
        if before.get(path) != content:
            self.publish(pack, "put_file", caller.actor, Content.of({**before, path: content}))
        return pack.answer(200, caller.org)

    def delete(self, caller: Caller, pack_id: str, if_match: str | None = None) -> Expected:
        self.admit(caller, write=True)
        self.decide_deletion(caller, pack_id, if_match)
        self.finish_deletion(pack_id)
        return Expected(200, {"status": "deleted"})

    def decide_deletion(self, caller: Caller, pack_id: str, if_match: str | None) -> None:
        """Who repeats the request is told that it is done, whoever got there first."""
        pack = next((p for p in self.packs if p.id == pack_id and p.org == caller.org), None)
        if pack is None:
            raise Refused(404, "pack_not_found")
        if pack.is_active:
            self.require_changeable(pack, if_match)
            roles, others = self._references(pack)
            if roles or others:
                raise _in_use(roles, others)
            pack.status = "deleting"
            pack.asked_by = (caller.actor, self.now)

    def finish_deletion(self, pack_id: str) -> None:
        pack = next(p for p in self.packs if p.id == pack_id)
        if pack.status == "deleting" and pack.asked_by is not None:
            pack.status, pack.gone_at = "gone", self.now
            pack.revision += 1
            pack.updated_at = pack.asked_by[1]
            pack.enter("delete", pack.asked_by[0])
            self.tags.pop((pack.org, pack.name), None)

    def forget(self, pack: Pack) -> None:
        """A tombstone goes in the end; a repeat is then told that there is no such pack."""
        self.packs.remove(pack)

    # -- reading --------------------------------------------------------------------------------------------------

    def get(self, caller: Caller, pack_id: str) -> Expected:
        self.admit(caller)
        return self.visible(pack_id, caller).answer(200, caller.org)

    def listing(self, caller: Caller, filters: dict[str, str]) -> list[Pack]:
        """All that a listing has: own packs and the community's, by name and then by id."""
        self.admit(caller)

        def passes(pack: Pack) -> bool:
            owned = filters.get("owned")
            return (
                pack.status != "gone"
                and pack.is_visible_to(caller.org)
                and owned in (None, "true" if pack.org == caller.org else "false")
                and filters.get("tier") in (None, "community")
                and filters.get("category") in (None, pack.content.manifest.get("category"))
                and pack.name.startswith(filters.get("q", ""))
            )

        return sorted(filter(passes, self.packs), key=lambda pack: (pack.name, pack.id or ""))

    def revisions(self, caller: Caller, pack_id: str) -> list[Entry]:
        """The history, the newest first, for the owner only."""
        self.admit(caller)
        return self.owned(pack_id, caller.org).history[::-1]

    def list_files(self, caller: Caller, pack_id: str) -> Expected:
        self.admit(caller)
        content = self.visible(pack_id, caller).content
        return Expected(200, {"files": [content.file_view(path) for path in sorted(content.files)]})

    def get_file(self, caller: Caller, pack_id: str, path: str) -> Expected:
        self.admit(caller)
        content = self.visible(pack_id, caller).content
        if path not in content.files:
            raise Refused(404, "file_not_found")
        return Expected(200, content.files[path], f'"{content.etag(path)}"')

    # -- roles ----------------------------------------------------------------------------------------------------

    def set_role(
        self, caller: Caller, role_id: str, pack_ids: list[str], if_match: str | None = None
    ) -> Expected:
        """Replaces the whole list; what is new in it must be visible and not being deleted.

        The condition is what `If-Match` says, or `new` for a role that must not be there.
        """
        self.admit(caller, write=True)
        place = (caller.org, role_id)
        new = [pack_id for pack_id in pack_ids if pack_id not in self.roles.get(place, [])]
        packs = {pack_id: self.find(pack_id) for pack_id in new}
        hidden = [i for i, pack in packs.items() if pack is None or not pack.is_visible_to(caller.org)]
        if hidden:
            raise Refused(404, "pack_not_found", pack_ids=hidden)
        if deleting := [i for i, pack in packs.items() if pack is not None and not pack.is_active]:
            raise Refused(409, "pack_deleting", pack_ids=deleting)
        self._require_seen(place, if_match)
        if self.roles.get(place) != pack_ids:
            self.roles[place] = list(pack_ids)
            self.role_revisions[place] = self.role_revisions.get(place, 0) + 1
        return self._role(place)

    def _require_seen(self, place: tuple[str, str], if_match: str | None) -> None:
        revision = self.role_revisions.get(place)
        if revision is None:
            if if_match not in (None, "new"):
                raise Refused(412, "precondition_failed")
        elif if_match not in (None, "*", str(revision)):
            raise Refused(412, "precondition_failed", revision=revision)

    def _role(self, place: tuple[str, str]) -> Expected:
        revision = self.role_revisions[place]
        body = {"role_id": place[1], "revision": revision, "pack_ids": self.roles[place]}
        return Expected(200, body, f'"{revision}"')

    def get_role(self, caller: Caller, role_id: str) -> Expected:
        self.admit(caller)
        if (caller.org, role_id) not in self.roles:
            raise Refused(404, "role_not_found")
        return self._role((caller.org, role_id))

    def _references(self, pack: Pack) -> tuple[list[str], int]:
        """The owner's roles that hold a pack, and how many of other organisations do: not whose."""
        holders = [place for place, pack_ids in self.roles.items() if pack.id in pack_ids]
        own = sorted(role for org, role in holders if org == pack.org)
        return own, len(holders) - len(own)


def _in_use(roles: list[str], others: int) -> Refused:
    return Refused(409, "pack_in_use", references={"role_ids": roles, "other_organisations": others})
