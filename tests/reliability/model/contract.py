"""The service as its contract describes it: requests come one after the other, and nothing fails.

It is written from the contract, so that the code can be checked against it. `Model.ask` carries a request out and
returns its answer, or raises `Refused`. What only the service can know (ids, digests) the model learns from the first
answer that states it, and requires from then on. What may be one way or the other (what a crash has left, for example)
is not in here: `possible_states.py` keeps several models, and drops those that an answer contradicts.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

from tests.reliability.model.expectations import Expected, Learnt, Refused
from tests.reliability.model.packs import ABSENT, Archive, Content, Entry, Pack, Reference, is_pack_path
from tests.reliability.model.staged_uploads import StagedUploads
from tests.reliability.model.state import Caller, Name

# The least that the contract leaves open; the decision on deletions says thirty days.
TOMBSTONE_KEPT: Final = timedelta(days=30)
VISIBILITIES: Final = ("org", "community")
CREATING: Final = frozenset(
    {"upload", "reupload", "create", "replace", "clone", "update", "put_file", "change", "start_upload"}
)
WRITING: Final = CREATING | {"delete", "set_role"}


class Model(StagedUploads):
    """The whole contract."""

    def ask(
        self,
        operation: str,
        caller: Caller,
        *args: Any,
        once: str | None = None,
        found: Any = None,
        **more: Any,
    ) -> Expected:
        """Carry a request out.

        Args:
            operation: The name of a method.
            caller: Who asks.
            args: Of the method.
            once: The idempotency key.
            found: What an image reference among the arguments resolves to.
            more: `visibility`, `if_match` and what else the method takes.
        """
        self.admit(operation, caller)
        visibility = more.get("visibility") or "org"
        if visibility not in VISIBILITIES or (more.get("pack_id") and more["visibility"]):
            raise Refused.by_fields("visibility")
        found_too = {} if found is None else {"found": found}
        act = partial(getattr(self, operation), caller, *args, **more, **found_too)
        if once is None:
            return Refused.or_answer(act)
        return self.answer_once((caller.org, operation, once), (args, more | {"visibility": visibility}), act)

    def admit(self, operation: str, caller: Caller) -> None:
        """Credential, scope and billing posture come before anything else, in this order."""
        if caller.revoked:
            raise Refused(401, "unauthenticated")
        if operation in WRITING and not caller.may_write:
            raise Refused(403, "permission_denied")
        if operation in CREATING and caller.org in self.lapsed:
            raise Refused(423, "billing_inactive")

    # -- packs from archives --------------------------------------------------------------------------------------

    def upload(self, caller: Caller, archive: Archive, visibility: str) -> Expected:
        return self.create_of_archive(caller, archive, visibility)[1]

    def reupload(
        self, caller: Caller, pack_id: str, archive: Archive, if_match: str | None = None
    ) -> Expected:
        return self.replace_by_archive(caller, pack_id, archive, if_match)[1]

    # -- packs from images ----------------------------------------------------------------------------------------

    def resolve(self, reference: Reference, org: str) -> frozenset[Content]:
        """Return what a reference may name: one content, unless a crash has left it open where a tag points."""
        if reference.registry == self.host:
            owner, _, name = reference.repository.removeprefix("packs/").partition("/")
            if owner != org:
                return frozenset({ABSENT})
            if reference.content is None:
                return self.tags.get((org, name), {}).get(reference.tag, frozenset({ABSENT}))
            holder = self.holder(org, name)
            history = holder.history if holder is not None and holder.is_active else []
            if any(entry.content is reference.content for entry in history):
                return frozenset({reference.content})
            left = (org, name) in self.abandoned or holder is not None
            return frozenset({ABSENT, reference.content} if left else {ABSENT})
        if reference.content is None:
            return frozenset({self.elsewhere.get(reference.repository, {}).get(reference.tag, ABSENT)})
        pushed = (reference.repository, reference.content) in self.pushed_elsewhere
        return frozenset({reference.content if pushed else ABSENT})

    def create(self, caller: Caller, reference: Reference, visibility: str, *, found: Content) -> Expected:
        # In the service's own registry, an image has to be where the name of its pack guards it.
        org, own = caller.org, reference.registry == self.host
        if found is ABSENT or (own and reference.repository != f"packs/{org}/{found.name}"):
            raise Refused.by_fields("image_ref")
        wanted = ("image_ref", reference.text, found, visibility)
        standing = self.holder(org, found.name)
        if standing is None:
            new = self.add(
                caller, "image_ref", found.name, content=found, visibility=visibility, ref=reference.text
            )
            return new[1]
        stands = (standing.origin, standing.image_ref, standing.content, standing.visibility)
        return self.repeated(standing, same=stands == wanted)

    def replace(
        self, caller: Caller, pack_id: str, reference: Reference, if_match: str | None, *, found: Content
    ) -> Expected:
        """Only tag or digest may change. For a built pack this is the way back to an earlier version."""
        pack = self.owned(pack_id, caller.org)
        if pack.repository != f"{reference.registry}/{reference.repository}":
            raise Refused.by_fields("image_ref")
        self.require_changeable(pack, if_match)
        if found is ABSENT:
            raise Refused.by_fields("image_ref")
        if found.name != pack.name:
            raise Refused.by_fields("pack.yaml:name")
        if (pack.image_ref, pack.content) != (reference.text, found):
            self.pushed_to = (pack.org, pack.name)
            pack.change("replace", caller.actor, self.now, content=found, image_ref=reference.text)
        return pack.answer(200, caller.org)

    def clone(self, caller: Caller, pack_id: str, name: str | None, visibility: str) -> Expected:
        source = self.visible(pack_id, caller)
        if source.status == "deleting":
            raise Refused(409, "pack_deleting")
        name = name or source.name
        standing = self.holder(caller.org, name)
        if standing is None:
            return self.add(caller, "clone", name, content=source.content, visibility=visibility)[1]
        stands = (standing.origin, standing.content, standing.visibility)
        same = stands == ("clone", source.content, visibility) and standing is not source
        return self.repeated(standing, same=same)

    # -- changing and deleting ------------------------------------------------------------------------------------

    def update(self, caller: Caller, pack_id: str, visibility: str, if_match: str | None) -> Expected:
        pack = self.editable(pack_id, caller)
        self.require_changeable(pack, if_match)
        if visibility != pack.visibility:
            _, others = self._references(pack)
            if visibility == "org" and others:
                raise _in_use([], others)
            pack.change("update", caller.actor, self.now, visibility=visibility)
        return pack.answer(200, caller.org)

    def put_file(
        self, caller: Caller, pack_id: str, path: str, content: bytes, if_match: str | None
    ) -> Expected:
        """A new image of the same version."""
        if not is_pack_path(path):
            raise Refused.by_fields("path")
        stated = Content.of({path: content}) if path == "pack.yaml" else None
        pack = self.editable(pack_id, caller)
        if pack.origin == "image_ref":
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
            if not pack.content.is_ours:
                raise Refused.by_fields("id")
            self.publish(pack, "put_file", caller, Content.edited({**before, path: content}, pack.name))
        return pack.answer(200, caller.org)

    def change(
        self,
        caller: Caller,
        pack_id: str,
        files: Sequence[tuple[str, bytes]],
        deletions: Sequence[str],
        if_match: str | None,
    ) -> Expected:
        """Files are added, replaced and deleted in one revision. Each path is named once; a deleted one is there."""
        written, folders = dict(files), tuple(path for path in deletions if path.endswith("/"))
        if not written and not deletions:
            raise Refused.by_fields("archive")
        self._require_no_faults(
            f"delete:{path}"
            for path in deletions
            if path == "pack.yaml" or (path.startswith(folders) and path not in folders)
        )
        pack = self.editable(pack_id, caller)
        if pack.origin == "image_ref":
            raise Refused.by_fields("id")
        self.require_changeable(pack, None)
        if "pack.yaml" in written and Content.of(written).name != pack.name:
            raise Refused.by_fields("pack.yaml:name")
        self.require_changeable(pack, if_match)
        before = pack.content.files
        self._require_no_faults(
            (
                *(
                    f"delete:{path}"
                    for path in deletions
                    if not any(_is_deleted(file, path) for file in before)
                ),
                *(
                    f"archive:{file}"
                    for file in written
                    if any(_is_deleted(file, path) for path in deletions)
                ),
            )
        )
        kept = {
            file: content
            for file, content in before.items()
            if not any(_is_deleted(file, path) for path in deletions)
        }
        if before != kept | written:
            if not pack.content.is_ours:
                raise Refused.by_fields("id")
            self.publish(pack, "changes", caller, Content.edited(kept | written, pack.name))
        return pack.answer(200, caller.org)

    @staticmethod
    def _require_no_faults(fields: Iterable[str]) -> None:
        if faults := tuple(fields):
            raise Refused.by_fields(*faults)

    def delete(
        self, caller: Caller, pack_id: str, if_match: str | None, *, only_decide: bool = False
    ) -> Expected:
        """A repeat of a deletion is answered that it is done, whichever request did it."""
        pack = next((p for p in self.packs if p.id == pack_id and p.org == caller.org), None)
        if pack is None:
            raise Refused(404, "pack_not_found")
        if pack.is_active:
            self.require_changeable(pack, if_match)
            roles, others = self._references(pack)
            if roles or others:
                raise _in_use(roles, others)
            pack.status = "deleting"
            pack.deletion = (caller.actor, self.now)
        if not only_decide:
            self.finish_deletion(pack_id)
        return Expected(200, {"status": "deleted"})

    def finish_deletion(self, pack_id: str) -> None:
        pack = next(p for p in self.packs if p.id == pack_id)
        if pack.status == "deleting" and pack.deletion is not None:
            pack.status, pack.gone_at = "gone", self.now
            pack.revision += 1
            pack.updated_at = pack.deletion[1]
            pack.enter("delete", pack.deletion[0])
            self.tags.pop((pack.org, pack.name), None)

    # -- reading --------------------------------------------------------------------------------------------------

    def get(self, caller: Caller, pack_id: str, host: str | None = None) -> Expected:
        """A host that names another organisation is refused, whatever is asked for."""
        if host not in (None, caller.org):
            raise Refused(403, "permission_denied")
        return self.visible(pack_id, caller).answer(200, caller.org)

    def listing(self, caller: Caller, filters: dict[str, str]) -> list[Pack]:
        """Return all that a listing has: own packs and the community's, in no order."""

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

        return list(filter(passes, self.packs))

    def revisions(self, caller: Caller, pack_id: str) -> list[Entry]:
        """Return the history, the newest entry first. It is the owner's only."""
        return self.owned(pack_id, caller.org).history[::-1]

    def list_files(self, caller: Caller, pack_id: str) -> Expected:
        content = self.visible(pack_id, caller).content
        files = [
            {"path": path, "size": len(held), "mode": "0644", "digest": content.etag(path)}
            for path, held in sorted(content.files.items())
        ]
        digest = Learnt(content.image, "digest", "sha256:")
        named = {"image_digest": digest, "content_digest": content.digest}
        return Expected(200, {"files": files} | named)

    def get_file(self, caller: Caller, pack_id: str, path: str) -> Expected:
        content = self.visible(pack_id, caller).content
        if path not in content.files:
            raise Refused(404, "file_not_found")
        return Expected(200, content.files[path], f'"{content.etag(path)}"')

    # -- roles ----------------------------------------------------------------------------------------------------

    def set_role(
        self, caller: Caller, role_id: str, pack_ids: list[str], if_match: str | None = None
    ) -> Expected:
        """Replace the whole list. What is new in it must be visible and not being deleted.

        The condition is what `If-Match` says, or `new` for a role that must not exist.
        """
        role = (caller.org, role_id)
        new = [pack_id for pack_id in pack_ids if pack_id not in self.roles.get(role, [])]
        packs = {pack_id: self.find(pack_id) for pack_id in new}
        hidden = [i for i, pack in packs.items() if pack is None or not pack.is_visible_to(caller.org)]
        if hidden:
            raise Refused(404, "pack_not_found", pack_ids=hidden)
        if deleting := [i for i, pack in packs.items() if pack is not None and not pack.is_active]:
            raise Refused(409, "pack_deleting", pack_ids=deleting)
        revision = self.role_revisions.get(role)
        if revision is None and if_match not in (None, "new"):
            raise Refused(412, "precondition_failed")
        if revision is not None and if_match not in (None, "*", str(revision)):
            raise Refused(412, "precondition_failed", revision=revision)
        if self.roles.get(role) != pack_ids:
            self.roles[role] = list(pack_ids)
            self.role_revisions[role] = (revision or 0) + 1
        return self._role(role)

    def get_role(self, caller: Caller, role_id: str) -> Expected:
        if (caller.org, role_id) not in self.roles:
            raise Refused(404, "role_not_found")
        return self._role((caller.org, role_id))

    def _role(self, role: Name) -> Expected:
        revision = self.role_revisions[role]
        body = {"role_id": role[1], "revision": revision, "pack_ids": self.roles[role]}
        return Expected(200, body, f'"{revision}"')

    def _references(self, pack: Pack) -> tuple[list[str], int]:
        """Return the owner's roles that hold a pack, and the number of other organisations' roles that do."""
        holders = [role for role, pack_ids in self.roles.items() if pack.id in pack_ids]
        own = sorted(role_id for org, role_id in holders if org == pack.org)
        return own, len(holders) - len(own)


def _in_use(roles: list[str], others: int) -> Refused:
    return Refused(409, "pack_in_use", references={"role_ids": roles, "other_organisations": others})


def _is_deleted(file: str, path: str) -> bool:
    return file.startswith(path) if path.endswith("/") else file == path
