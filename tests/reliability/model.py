"""The service as its contract has it: one organisation after the other asks, and nothing ever fails.

Written from the contract, so that it can be held against the code. Each operation returns what is answered, or raises
`Refused`. What only the service can know (ids, digests) the model learns from the first answer that states it, and
insists on from then on. What may be one way or the other (what is left after a crash, for one) is not in here: whoever
uses the model keeps several of them, and drops those that an answer contradicts.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.reliability.expectations import ANY, Expected, Learnt, Refused
from tests.reliability.model_packs import (
    ABSENT,
    Archive,
    Content,
    Entry,
    Pack,
    Reference,
    Tags,
    is_pack_path,
    timestamp,
)

FORM_TIME = timedelta(minutes=15)
ARRIVAL_TIME = timedelta(minutes=45)
OUTCOME_KEPT = timedelta(days=7)
ANSWER_KEPT = timedelta(hours=24)
# The least that the contract leaves open; the decision on deletions says thirty days.
TOMBSTONE_KEPT = timedelta(days=30)
VISIBILITIES = ("org", "community")


@dataclass(frozen=True)
class Caller:
    """Who asks: an organisation's key."""

    org: str
    actor: str
    may_write: bool = True
    revoked: bool = False


@dataclass
class Upload:
    """A staged upload."""

    org: str
    actor: str
    visibility: str
    target: str | None
    form_until: datetime
    arrives_until: datetime
    kept_until: datetime
    id: str | None = None
    status: str = "awaiting_archive"
    archive: Archive | None = None
    pack: Pack | None = None
    error: Any = None
    lease_until: datetime | None = None
    build_until: datetime | None = None


@dataclass
class Kept:
    """What became of the first request with an idempotency key: its answer, or None while it may be at work."""

    request: Any
    since: datetime
    answer: Expected | None
    at_work_until: datetime


@dataclass
class Model:
    """Everything that clients can see, and what decides about it.

    Attributes:
        now: The service's time.
        lease: How long a build may take before another may begin.
        host: Of the service's own registry.
        lapsed: Organisations whose billing does not let them create.
        elsewhere: What the tags of another registry's repositories stand for.
        pushed_elsewhere: What can be had there by digest.
        tags: What the tags of built packs' repositories stand for.
        busy: Until when a repository may still be held by somebody who died while clearing it up.
        abandoned: Repositories in which images may lie that no pack has.
        in_trouble: Whether what comes next may end half-way: after the row, but before the tag.
        pushed_to: See `written_to`.
    """

    now: datetime
    lease: timedelta
    host: str
    lapsed: set[str] = field(default_factory=set)
    packs: list[Pack] = field(default_factory=list)
    roles: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    uploads: list[Upload] = field(default_factory=list)
    keys: dict[tuple[str, str, str], Kept] = field(default_factory=dict)
    elsewhere: dict[str, dict[str, Content]] = field(default_factory=dict)
    pushed_elsewhere: set[tuple[str, Content]] = field(default_factory=set)
    tags: dict[tuple[str, str], Tags] = field(default_factory=dict)
    busy: dict[tuple[str, str] | None, datetime] = field(default_factory=dict)
    abandoned: set[tuple[str, str]] = field(default_factory=set)
    in_trouble: bool = False
    pushed_to: tuple[str, str] | None = None

    def copy(self) -> "Model":
        return deepcopy(self)

    # -- who may do what ------------------------------------------------------------------------------------------

    def admit(self, caller: Caller, *, write: bool = False, create: bool = False) -> None:
        """Credential, scope and billing posture come before anything else, in this order."""
        if caller.revoked:
            raise Refused(401, "unauthenticated")
        if write and not caller.may_write:
            raise Refused(403, "permission_denied")
        if create and caller.org in self.lapsed:
            raise Refused(423, "billing_inactive")

    def find(self, pack_id: str) -> Pack | None:
        return next((pack for pack in self.packs if pack.id == pack_id and pack.status != "gone"), None)

    def visible(self, pack_id: str, caller: Caller) -> Pack:
        pack = self.find(pack_id)
        if pack is None or not pack.is_visible_to(caller.org):
            raise Refused(404, "pack_not_found")
        return pack

    def owned(self, pack_id: str, org: str) -> Pack:
        """A pack that a replacement is for: someone else's is none."""
        pack = self.find(pack_id)
        if pack is None or pack.org != org:
            raise Refused(404, "pack_not_found")
        return pack

    def editable(self, pack_id: str, caller: Caller) -> Pack:
        """A pack that a part of is to change: one that is seen but not owned is refused as such."""
        pack = self.visible(pack_id, caller)
        if pack.org != caller.org:
            raise Refused(403, "permission_denied")
        return pack

    def holder(self, org: str, name: str) -> Pack | None:
        """A name is taken until its pack's images are gone."""
        return next((p for p in self.packs if (p.org, p.name) == (org, name) and p.status != "gone"), None)

    def _changeable(self, pack: Pack, if_match: str | None) -> None:
        if pack.status == "deleting":
            raise Refused(409, "pack_deleting")
        if if_match not in (None, "*", str(pack.revision)):
            raise Refused(412, "precondition_failed")

    # -- idempotency ----------------------------------------------------------------------------------------------

    def once(self, caller: Caller, operation: str, key: str | None, request: Any, act: Any) -> Expected:
        """The same key and body within 24 hours repeat the first answer, refusals too; another body is 400."""
        if key is None:
            return _answer(act)
        place = (caller.org, operation, key)
        kept = self.keys.get(place)
        if kept is not None and self._counts(kept):
            if kept.request != request:
                raise Refused.by_fields("Idempotency-Key")
            if kept.answer is None:
                raise Refused(503, "service_unavailable")
            return kept.answer
        answer = _answer(act)
        self.keys[place] = Kept(request, self.now, answer, self.now)
        return answer

    def _counts(self, kept: Kept) -> bool:
        if kept.answer is None:
            return self.now <= kept.at_work_until
        return self.now < kept.since + ANSWER_KEPT

    # -- packs from archives --------------------------------------------------------------------------------------

    def upload(self, caller: Caller, archive: Archive, visibility: str, key: str | None = None) -> Expected:
        self.admit(caller, write=True, create=True)
        if visibility not in VISIBILITIES:
            raise Refused.by_fields("visibility")
        return self.once(
            caller,
            "upload",
            key,
            (archive, visibility),
            lambda: self.create_of_archive(caller.org, caller.actor, archive, visibility)[1],
        )

    def create_of_archive(
        self, org: str, actor: str, archive: Archive, visibility: str
    ) -> tuple[Pack, Expected]:
        content = archive.content()
        standing = self.holder(org, content.name)
        if standing is not None:
            if standing.is_active and (standing.content, standing.visibility) == (content, visibility):
                return standing, standing.answer(200, org)
            raise _taken(standing)
        return self._create(org, actor, "upload", name=content.name, content=content, visibility=visibility)

    def reupload(
        self,
        caller: Caller,
        pack_id: str,
        archive: Archive,
        if_match: str | None = None,
        key: str | None = None,
    ) -> Expected:
        self.admit(caller, write=True, create=True)
        request = (pack_id, archive, if_match)
        return self.once(
            caller,
            "reupload",
            key,
            request,
            lambda: self.replace_by_archive(caller.org, caller.actor, pack_id, archive, if_match)[1],
        )

    def replace_by_archive(
        self, org: str, actor: str, pack_id: str, archive: Archive, if_match: str | None = None
    ) -> tuple[Pack, Expected]:
        content = archive.content()
        pack = self.owned(pack_id, org)
        if pack.origin != "upload":
            raise Refused.by_fields("id")
        if content.name != pack.name:
            raise Refused.by_fields("pack.yaml:name")
        self._changeable(pack, if_match)
        if pack.content != content:
            self._publish(pack, "reupload", actor, content)
        return pack, pack.answer(200, org)

    def _create(
        self,
        org: str,
        actor: str,
        origin: str,
        *,
        name: str,
        content: Content,
        visibility: str,
        ref: str = "",
    ) -> tuple[Pack, Expected]:
        pack = Pack(
            org=org,
            name=name,
            origin=origin,
            visibility=visibility,
            content=content,
            image_ref=ref or self.built_ref(org, name, content.version),
            created_at=self.now,
            updated_at=self.now,
        )
        pack.enter("create" if origin == "image_ref" else origin, actor)
        self.packs.append(pack)
        self.pushed_to = (org, name)
        if origin != "image_ref":
            self._tag(pack, content)
        return pack, pack.answer(201, org)

    def _publish(self, pack: Pack, operation: str, actor: str, content: Content) -> None:
        ref = self.built_ref(pack.org, pack.name, content.version)
        self.pushed_to = (pack.org, pack.name)
        self._tag(pack, content)
        pack.change(operation, actor, self.now, content=content, image_ref=ref)

    def _tag(self, pack: Pack, content: Content) -> None:
        """The version's tag is set last, and put right later if that fails."""
        tags = self.tags.setdefault((pack.org, pack.name), {})
        before = tags.get(content.version, frozenset({ABSENT})) if self.in_trouble else frozenset()
        tags[content.version] = before | {content}

    def built_ref(self, org: str, name: str, version: str) -> str:
        return f"{self.host}/packs/{org}/{name}:{version}"

    # -- staged uploads -------------------------------------------------------------------------------------------

    def start_upload(
        self, caller: Caller, visibility: str | None, pack_id: str | None, key: str | None = None
    ) -> Expected:
        self.admit(caller, write=True, create=True)
        if (visibility or "org") not in VISIBILITIES or (visibility and pack_id):
            raise Refused.by_fields("visibility")

        def start() -> Expected:
            if pack_id is not None and self.owned(pack_id, caller.org).origin != "upload":
                raise Refused.by_fields("pack_id")
            upload = Upload(
                org=caller.org,
                actor=caller.actor,
                visibility=visibility or "org",
                target=pack_id,
                form_until=self.now + FORM_TIME,
                arrives_until=self.now + ARRIVAL_TIME,
                kept_until=self.now + OUTCOME_KEPT,
            )
            self.uploads.append(upload)
            form = {"url": ANY, "fields": ANY, "max_bytes": 268_435_456}
            return Expected(201, self._upload_view(upload) | form)

        return self.once(caller, "start", key, (visibility, pack_id), start)

    def get_upload(self, caller: Caller, upload_id: str) -> Expected:
        self.admit(caller)
        upload = next((u for u in self.uploads if (u.id, u.org) == (upload_id, caller.org)), None)
        if upload is None or self.now > upload.kept_until:
            raise Refused(404, "upload_not_found")
        return Expected(200, self._upload_view(upload))

    def _upload_view(self, upload: Upload) -> dict[str, Any]:
        """No state waits for ever: each says until when it can last."""
        status, until, error = upload.status, upload.kept_until, upload.error
        if status == "awaiting_archive":
            status = "expired" if self.now > upload.arrives_until else status
            until = upload.form_until
        elif status == "building" and upload.build_until is not None:
            if self.now > upload.build_until:
                status, error = "failed", upload.error or _cause(upload, "timeout")
            until = upload.build_until
        if status in ("expired", "failed", "done"):
            until = upload.kept_until
        view = {
            "upload_id": Learnt(upload, "id", "upl_"),
            "status": status,
            "expires_at": timestamp(until),
        }
        if upload.pack is not None:
            view["pack_id"] = Learnt(upload.pack, "id", "pack_")
        elif upload.target is not None:
            view["pack_id"] = upload.target
        return view | ({"error": error} if status == "failed" else {})

    def build(self, upload: Upload) -> bool:
        """S3 has told of an archive; return whether the message is done with, or has to come again."""
        if upload.status == "awaiting_archive":
            if self.now > upload.arrives_until:
                return True
        elif upload.status != "building":
            return True
        elif (upload.lease_until is not None and self.now < upload.lease_until) or (
            upload.build_until is not None and self.now + self.lease > upload.build_until
        ):
            return False
        self.begin_build(upload)
        assert upload.archive is not None
        try:
            if upload.target is None:
                pack, _ = self.create_of_archive(upload.org, upload.actor, upload.archive, upload.visibility)
            else:
                pack, _ = self.replace_by_archive(upload.org, upload.actor, upload.target, upload.archive)
        except Refused as refused:
            upload.status = "failed"
            upload.error = refused.expected.body["error"] | {"request_id": Learnt(upload, "id", "upl_")}
        else:
            upload.status, upload.pack = "done", pack
        return True

    def begin_build(self, upload: Upload) -> None:
        """Take the lease; a build that has begun has four of them."""
        upload.status = "building"
        upload.lease_until = self.now + self.lease
        upload.build_until = upload.build_until or self.now + 4 * self.lease

    def give_up_build(self, upload: Upload, code: str) -> None:
        """An attempt has failed by no fault of the archive: the next may begin at once."""
        self.begin_build(upload)
        upload.lease_until = self.now
        upload.error = _cause(upload, code)

    # -- packs from images ----------------------------------------------------------------------------------------

    def resolve(self, reference: Reference, org: str) -> frozenset[Content]:
        """What a reference may stand for: one thing, unless a crash has left it open where a tag points."""
        if reference.registry == self.host:
            owner, _, name = reference.repository.removeprefix("packs/").partition("/")
            if owner != org:
                return frozenset({ABSENT})
            if reference.content is None:
                return self.tags.get((org, name), {}).get(reference.tag, frozenset({ABSENT}))
            holder = self.holder(org, name)
            if holder is not None and holder.is_active and holder.had(reference.content):
                return frozenset({reference.content})
            left = (org, name) in self.abandoned or holder is not None
            return frozenset({ABSENT, reference.content} if left else {ABSENT})
        if reference.content is None:
            return frozenset({self.elsewhere.get(reference.repository, {}).get(reference.tag, ABSENT)})
        pushed = (reference.repository, reference.content) in self.pushed_elsewhere
        return frozenset({reference.content if pushed else ABSENT})

    def create(
        self,
        caller: Caller,
        reference: Reference,
        visibility: str,
        key: str | None = None,
        *,
        found: Content,
    ) -> Expected:
        """`found` is what the reference resolves to."""
        self.admit(caller, write=True, create=True)
        if visibility not in VISIBILITIES:
            raise Refused.by_fields("visibility")

        def register() -> Expected:
            if found is ABSENT:
                raise Refused.by_fields("image_ref")
            standing = self.holder(caller.org, found.name)
            wanted = ("image_ref", reference.text, found, visibility)
            if standing is None:
                return self._create(
                    caller.org,
                    caller.actor,
                    "image_ref",
                    name=found.name,
                    content=found,
                    visibility=visibility,
                    ref=reference.text,
                )[1]
            stands = (standing.origin, standing.image_ref, standing.content, standing.visibility)
            if standing.is_active and stands == wanted:
                return standing.answer(200, caller.org)
            raise _taken(standing)

        return self.once(caller, "create", key, (reference.text, visibility), register)

    def replace(
        self,
        caller: Caller,
        pack_id: str,
        reference: Reference,
        if_match: str | None = None,
        *,
        found: Content,
    ) -> Expected:
        """Only tag or digest may change; for a built pack this is the way back to an earlier version."""
        self.admit(caller, write=True, create=True)
        pack = self.owned(pack_id, caller.org)
        if pack.repository != f"{reference.registry}/{reference.repository}":
            raise Refused.by_fields("image_ref")
        self._changeable(pack, if_match)
        if found is ABSENT:
            raise Refused.by_fields("image_ref")
        if found.name != pack.name:
            raise Refused.by_fields("pack.yaml:name")
        if (pack.image_ref, pack.content) != (reference.text, found):
            self.pushed_to = (pack.org, pack.name)
            pack.change("replace", caller.actor, self.now, content=found, image_ref=reference.text)
        return pack.answer(200, caller.org)

    def clone(
        self, caller: Caller, pack_id: str, name: str | None, visibility: str, key: str | None = None
    ) -> Expected:
        self.admit(caller, write=True, create=True)
        if visibility not in VISIBILITIES:
            raise Refused.by_fields("visibility")

        def clone() -> Expected:
            source = self.visible(pack_id, caller)
            if source.status == "deleting":
                raise Refused(409, "pack_deleting")
            standing = self.holder(caller.org, name or source.name)
            if standing is None:
                return self._create(
                    caller.org,
                    caller.actor,
                    "clone",
                    name=name or source.name,
                    content=source.content,
                    visibility=visibility,
                )[1]
            wanted = ("clone", source.content, visibility)
            stands = (standing.origin, standing.content, standing.visibility)
            if standing.is_active and standing is not source and stands == wanted:
                return standing.answer(200, caller.org)
            raise _taken(standing)

        return self.once(caller, "clone", key, (pack_id, name, visibility), clone)

    # -- changing and deleting ------------------------------------------------------------------------------------

    def update(self, caller: Caller, pack_id: str, visibility: str, if_match: str | None = None) -> Expected:
        self.admit(caller, write=True, create=True)
        if visibility not in VISIBILITIES:
            raise Refused.by_fields("visibility")
        pack = self.editable(pack_id, caller)
        self._changeable(pack, if_match)
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
        self._changeable(pack, if_match)
        if before.get(path) != content:
            self._publish(pack, "put_file", caller.actor, Content.of({**before, path: content}))
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
            self._changeable(pack, if_match)
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

    def restore_tag(self, pack: Pack, digest: str, *, certain: bool) -> None:
        """An image that is in use is looked at when its time comes: then its tag is put right."""
        if pack.content.image.digest == digest:
            self.in_trouble = not certain
            self._tag(pack, pack.content)

    def written_to(self) -> tuple[str, str] | None:
        """Return the repository that has been written to since this was asked last."""
        written, self.pushed_to = self.pushed_to, None
        return written

    def is_busy(self, place: tuple[str, str] | None) -> bool:
        """Tell whether a repository may be held by somebody who is not there any more."""
        return place in self.busy and self.now <= self.busy[place]

    def settle(self) -> None:
        """Everything that was begun has come to its end."""
        self.abandoned.clear()
        self.busy.clear()

    def push_elsewhere(self, repository: str, tag: str, content: Content) -> None:
        """Another registry has another image under a tag; those before it stay, by digest."""
        self.elsewhere.setdefault(repository, {})[tag] = content
        self.pushed_elsewhere.add((repository, content))

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
        """The ledger, the newest first, for the owner only."""
        self.admit(caller)
        return self.owned(pack_id, caller.org).ledger[::-1]

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

    def set_role(self, caller: Caller, role_id: str, pack_ids: list[str]) -> Expected:
        """Replaces the whole list; what is new in it must be visible and not being deleted."""
        self.admit(caller, write=True)
        new = [pack_id for pack_id in pack_ids if pack_id not in self.roles.get((caller.org, role_id), [])]
        packs = {pack_id: self.find(pack_id) for pack_id in new}
        hidden = [i for i, pack in packs.items() if pack is None or not pack.is_visible_to(caller.org)]
        if hidden:
            raise Refused(404, "pack_not_found", pack_ids=hidden)
        if deleting := [i for i, pack in packs.items() if pack is not None and not pack.is_active]:
            raise Refused(409, "pack_deleting", pack_ids=deleting)
        self.roles[caller.org, role_id] = list(pack_ids)
        return Expected(200, {"role_id": role_id, "pack_ids": pack_ids})

    def get_role(self, caller: Caller, role_id: str) -> Expected:
        self.admit(caller)
        if (caller.org, role_id) not in self.roles:
            raise Refused(404, "role_not_found")
        return Expected(200, {"role_id": role_id, "pack_ids": self.roles[caller.org, role_id]})

    def _references(self, pack: Pack) -> tuple[list[str], int]:
        """The owner's roles that hold a pack, and how many of other organisations do: not whose."""
        holders = [place for place, pack_ids in self.roles.items() if pack.id in pack_ids]
        own = sorted(role for org, role in holders if org == pack.org)
        return own, len(holders) - len(own)


def _answer(act: Any) -> Expected:
    try:
        answer: Expected = act()
    except Refused as refused:
        return refused.expected
    return answer


def _taken(holder: Pack) -> Refused:
    return Refused(409, "pack_name_taken", pack_id=Learnt(holder, "id", "pack_"))


def _in_use(roles: list[str], others: int) -> Refused:
    return Refused(409, "pack_in_use", references={"role_ids": roles, "other_organisations": others})


def _cause(upload: Upload, code: str) -> dict[str, Any]:
    return {"code": code, "message": ANY, "request_id": Learnt(upload, "id", "upl_")}
