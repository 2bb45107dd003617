"""The service as its contract describes it: requests come one after the other, and nothing fails.

It is written from the contract, so that the code can be checked against it. `Model.ask` carries a request out and
returns its answer, or raises `Refused`. What only the service can know (ids, digests) the model learns from the first
answer that states it, and requires from then on. What may be one way or the other (what a crash has left, for example)
is not in here: `possible_states.py` keeps several models, and drops those that an answer contradicts.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final, NamedTuple, Self
from unittest.mock import ANY

from tests.reliability.model.expectations import (
    Expected,
    IfStated,
    Learnt,
    Refused,
    require,
    require_field,
    require_none_wrong,
)
from tests.reliability.model.packs import ABSENT, BAD_PATHS, Archive, Content, Pack, Reference, timestamp
from tests.reliability.model.state import Caller, State, Upload

FORM_TIME: Final = timedelta(minutes=15)
_ARRIVAL_TIME: Final = timedelta(minutes=45)
_OUTCOME_KEPT: Final = timedelta(days=7)
# Which messages a delivery of one leaves in the queue.
SETTLED, COMES_BACK = Expected(200, []), Expected(200, ["0"])


class Cursor(NamedTuple):
    """Where a listing goes on, as it was answered."""

    text: str
    org: str
    filters: Mapping[str, str]
    after: tuple[str, str]


class Model(State):
    """The whole contract: a method for each operation, which takes what the request states."""

    def ask(
        self, operation: str, caller: Caller, args: Mapping[str, Any], once: str | None, **more: Any
    ) -> Expected:
        """Carry a request out. Its method is told `more` than the request states. `once` is its idempotency key."""
        self.caller, self.pushed_to, self.taking = caller, None, None
        # Credential, scope and billing posture come before anything else, in this order.
        require(not caller.revoked, 401, "unauthenticated")
        reads = operation.startswith(("get_", "list_"))
        creates = not reads and operation not in ("delete_pack", "set_role_packs")
        require(caller.may_write or reads, 403, "permission_denied")
        require(caller.org not in self.lapsed or not creates, 423, "billing_inactive")
        stated = args.get("visibility")
        replaces = operation == "start_upload" and args["pack_id"]
        require_field(stated in (None, "org", "community") and not (stated and replaces), "visibility")
        act: Callable[[], Expected] = partial(getattr(self, operation), **args, **more)
        if once is None:
            return act()
        return self.answer_once(operation, once, {**args, "visibility": stated or "org"}, act)

    def upload_pack(self, archive: Archive, visibility: str) -> Expected:
        content = archive.content()
        return self.add("upload", content.name, content, visibility)

    def create_pack(self, image_ref: Reference, visibility: str, found: Content) -> Expected:
        require_field(found is not ABSENT, "image_ref")
        # In the service's own registry, an image has to be where the name of its pack guards it.
        is_elsewhere = not image_ref.place.startswith(f"{self.host}/")
        is_guarded = image_ref.place == f"{self.host}/packs/{self.caller.org}/{found.name}"
        require_field(is_elsewhere or is_guarded, "image_ref")
        return self.add("image_ref", found.name, found, visibility, ref=str(image_ref))

    def clone_pack(self, pack_id: str, name: str | None, visibility: str) -> Expected:
        source = self.visible(pack_id)
        require(not source.deletion, 409, "pack_deleting")
        return self.add("clone", name or source.name, source.content, visibility, source=source)

    def add(
        self, origin: str, name: str, content: Content, visibility: str, *, ref: str = "", source: Any = None
    ) -> Expected:
        """Add a pack. A name is taken, unless the pack that has it is what the request asks for."""
        org = self.caller.org
        standing = self.holder(org, name)
        if standing is not None:
            same = (standing.content, standing.visibility) == (content, visibility) and standing is not source
            same = same and origin in ("upload", standing.origin) and ref in ("", standing.image_ref)
            pack_id = Learnt(standing, "id", "pack_")
            require(same and not standing.deletion, 409, "pack_name_taken", pack_id=pack_id)
            return standing.answer(org)
        pack = Pack(org, name, origin, visibility)
        self.packs.append(pack)
        self.publish(pack, "create" if ref else origin, content, ref)
        return pack.answer(org, 201)

    def publish(self, pack: Pack, operation: str, content: Content, ref: str = "") -> None:
        """Give a pack an image that we build, unless it refers to one that is there."""
        self.pushed_to = (pack.org, pack.name)
        if not ref:
            self.set_tag(pack, content)
        pack.image_ref = ref or f"{self.host}/packs/{pack.org}/{pack.name}:{content.version}"
        pack.history.append(self.entry(operation, content))

    def reupload_pack(self, pack_id: str, archive: Archive, if_match: str | None) -> Expected:
        content = archive.content()
        pack = self.own(pack_id)
        require_field(pack.origin == "upload", "id")
        require_field(content.name == pack.name, "pack.yaml:name")
        self.require_current(pack, if_match)
        if pack.content != content:
            self.publish(pack, "reupload", content)
        return pack.answer(self.caller.org)

    def replace_pack(
        self, pack_id: str, image_ref: Reference, if_match: str | None, found: Content
    ) -> Expected:
        """Only tag or digest may change. For a built pack this is the way back to an earlier version."""
        pack = self.own(pack_id)
        require_field(pack.place == image_ref.place, "image_ref")
        self.require_current(pack, if_match)
        require_field(found is not ABSENT, "image_ref")
        require_field(found.name == pack.name, "pack.yaml:name")
        if (pack.image_ref, pack.content) != (str(image_ref), found):
            self.publish(pack, "replace", found, str(image_ref))
        return pack.answer(self.caller.org)

    def update_pack(self, pack_id: str, visibility: str, if_match: str | None) -> Expected:
        pack = self.own(pack_id, 403, "permission_denied")
        self.require_current(pack, if_match)
        if visibility != pack.visibility:
            if visibility == "org":
                self.require_unused(pack, by_owner=False)
            pack.visibility = visibility
            pack.history.append(self.entry("update", pack.content))
        return pack.answer(self.caller.org)

    def delete_pack(self, pack_id: str, if_match: str | None, *, only_decide: bool = False) -> Expected:
        """A repeat of a deletion is answered that it is done, whichever request did it."""
        pack = self.known(pack_id)
        if pack is None or pack.org != self.caller.org:
            raise Refused(404, "pack_not_found")
        if not pack.deletion:
            self.require_current(pack, if_match)
            self.require_unused(pack, by_owner=True)
            pack.deletion = self.entry("delete", pack.content)
        if not only_decide:
            self.finish_deletion(pack)
        return Expected(200, {"status": "deleted"})

    def finish_deletion(self, pack: Pack) -> None:
        if pack.gone_at is None and pack.deletion is not None:
            pack.gone_at = self.now
            pack.history.append(pack.deletion)
            self.tags.pop((pack.org, pack.name), None)

    def put_file(self, pack_id: str, path: str, content: bytes, if_match: str | None) -> Expected:
        """A new image of the same version. The condition may also be on the file."""
        require_field(path not in BAD_PATHS, "path")
        pack = self.own(pack_id, 403, "permission_denied")
        require_field(pack.origin != "image_ref", "id")
        require(not pack.deletion, 409, "pack_deleting")
        if path == "pack.yaml":
            stated = Content.of({path: content})
            kept = {"name": (stated.name, pack.name), "version": (stated.version, pack.content.version)}
            require_none_wrong(*(f"pack.yaml:{f}" for f, (new, old) in kept.items() if new != old))
        about_file = if_match is not None and if_match == pack.content.etag(path)
        self.require_current(pack, None if about_file else if_match)
        return self.edit(pack, "put_file", {**pack.content.files, path: content})

    def change_pack(
        self, pack_id: str, files: Mapping[str, bytes], deletions: Sequence[str], if_match: str | None
    ) -> Expected:
        """Files are added, replaced and deleted in one revision. Each path is named once; a deleted one is there."""
        require_field(files or deletions, "archive")
        others = {path: [other for other in deletions if other != path] for path in deletions}
        twice = [path for path in deletions if path == "pack.yaml" or _is_deleted(path, others[path])]
        require_none_wrong(*(f"delete:{path}" for path in twice))
        pack = self.own(pack_id, 403, "permission_denied")
        require_field(pack.origin != "image_ref", "id")
        require(not pack.deletion, 409, "pack_deleting")
        named = "pack.yaml" not in files or Content.of(files).name == pack.name
        require_field(named, "pack.yaml:name")
        self.require_current(pack, if_match)
        before = pack.content.files
        missing = [path for path in deletions if not any(_is_deleted(file, [path]) for file in before)]
        both = [file for file in files if _is_deleted(file, deletions)]
        require_none_wrong(*(f"delete:{path}" for path in missing), *(f"archive:{file}" for file in both))
        kept = {file: content for file, content in before.items() if not _is_deleted(file, deletions)}
        return self.edit(pack, "changes", {**kept, **files})

    def edit(self, pack: Pack, operation: str, files: Mapping[str, bytes]) -> Expected:
        """Give a pack other files. Images that others have built are not edited."""
        if pack.content.files != files:
            require_field(pack.content.maker.startswith("us"), "id")
            self.publish(pack, operation, Content.edited(files, pack.name))
        return pack.answer(self.caller.org)

    def list_files(self, pack_id: str) -> Expected:
        content = self.visible(pack_id).content
        files = [
            {"path": path, "size": len(held), "mode": "0644", "digest": content.etag(path)}
            for path, held in sorted(content.files.items())
        ]
        digest = content.digests["content_digest"].value
        return Expected(200, {"files": files} | content.digests | {"content_digest": digest})

    def get_file(self, pack_id: str, path: str) -> Expected:
        content = self.visible(pack_id).content
        require(path in content.files, 404, "file_not_found")
        return Expected(200, content.files[path], f'"{content.etag(path)}"')

    def get_pack(self, pack_id: str, host: str | None) -> Expected:
        """A host that names another organisation is refused, whatever is asked for."""
        require(host in (None, self.caller.org), 403, "permission_denied")
        return self.visible(pack_id).answer(self.caller.org)

    def list_packs(self, query: Mapping[str, str], cursor: Cursor | None) -> Expected:
        """Return own packs and the community's, by name and id."""
        org = self.caller.org
        require_field(cursor is None or cursor.org == org, "cursor")

        listed = [
            pack
            for pack in sorted(self.packs, key=lambda pack: pack.position)
            if pack.gone_at is None
            and pack.is_visible_to(org)
            and query.get("owned") in (None, "true" if pack.org == org else "false")
            and query.get("tier") in (None, "community")
            and query.get("category") in (None, pack.content.manifest.get("category"))
            and pack.name.startswith(query.get("q", ""))
            and (cursor is None or pack.position > cursor.after)
        ]
        # A page that ends where its reads end may not know that it is the last.
        return _page("packs", [pack.view(org) for pack in listed], query, {"next_cursor": IfStated(ANY)})

    def list_revisions(self, pack_id: str, query: Mapping[str, str], start: int) -> Expected:
        """Return the history, the newest entry first. It is the owner's only."""
        entries = [entry.view(number) for number, entry in enumerate(self.own(pack_id).history, start=1)]
        return _page("revisions", entries[::-1][start:], query, {})

    def set_role_packs(self, role_id: str, pack_ids: list[str], if_match: str | None) -> Expected:
        """Replace the whole list. What is new in it must be visible and not being deleted.

        The condition is what `If-Match` says, or `new` for a role that must not exist.
        """
        role = (self.caller.org, role_id)
        revision, before = self.roles.get(role, (0, []))
        new = {pack_id: self.find(pack_id) for pack_id in pack_ids if pack_id not in before}
        hidden = [i for i, pack in new.items() if not (pack and pack.is_visible_to(role[0]))]
        require(not hidden, 404, "pack_not_found", pack_ids=hidden)
        deleting = [i for i, pack in new.items() if pack and pack.deletion]
        require(not deleting, 409, "pack_deleting", pack_ids=deleting)
        names = [pack.name for pack in map(self.find, pack_ids) if pack]
        # Of two packs of one name, one would need an alias.
        require_field(len(set(names)) == len(names), "pack_ids")
        fits = if_match in ((None, "*", str(revision)) if revision else (None, "new"))
        require(fits, 412, "precondition_failed", **({"revision": revision} if revision else {}))
        if not revision or before != pack_ids:
            self.roles[role] = (revision + 1, list(pack_ids))
        return self.get_role_packs(role_id)

    def get_role_packs(self, role_id: str) -> Expected:
        require((self.caller.org, role_id) in self.roles, 404, "role_not_found")
        revision, pack_ids = self.roles[self.caller.org, role_id]
        # The model does not know pins yet. A stale one changes the entity tag.
        return Expected(200, {"role_id": role_id, "revision": revision, "pack_ids": pack_ids, "packs": ANY})

    def start_upload(self, visibility: str | None, pack_id: str | None, if_match: str | None) -> Expected:
        """An archive is to come. The condition on its pack counts now, and again when the archive is built."""
        if pack_id is not None:
            pack = self.own(pack_id)
            require_field(pack.origin == "upload", "pack_id")
            if if_match is not None:
                self.require_current(pack, if_match)
        require(pack_id or not if_match, 412, "precondition_failed")
        upload = Upload(self.caller, visibility or "org", pack_id, if_match, self.now)
        self.uploads.append(upload)
        form = {"url": ANY, "fields": ANY, "max_bytes": 268_435_456}
        return Expected(201, self._upload_view(upload) | form)

    def get_upload(self, upload_id: str) -> Expected:
        for upload in self.uploads:
            kept = self.now <= upload.since + _OUTCOME_KEPT
            if kept and (upload.id, upload.caller.org) == (upload_id, self.caller.org):
                return Expected(200, self._upload_view(upload))
        raise Refused(404, "upload_not_found")

    def _upload_view(self, upload: Upload) -> dict[str, Any]:
        """No state lasts without end: each says until when it can last."""
        status, until, error = upload.status, upload.since + _OUTCOME_KEPT, upload.error
        if status == "awaiting_archive" and self.now > upload.since + _ARRIVAL_TIME:
            status = "expired"
        elif status == "awaiting_archive":
            until = upload.since + FORM_TIME
        elif status == "building" and self.now > upload.build_until:
            status, error = "failed", error or _cause(upload, code="timeout")
        elif status == "building":
            until = upload.build_until
        view = {"upload_id": Learnt(upload, "id", "upl_"), "status": status, "expires_at": timestamp(until)}
        if pack_id := Learnt(upload.pack, "id", "pack_") if upload.pack else upload.target:
            view["pack_id"] = pack_id
        return view | ({"error": error} if status == "failed" else {})

    def build(self, number: int) -> Expected:
        """S3 has told of an archive. Return what becomes of the message."""
        upload, self.pushed_to = self.uploads[number], None
        self.caller, archive = upload.caller, upload.archive
        waits = upload.status == "awaiting_archive" and self.now <= upload.since + _ARRIVAL_TIME
        if upload.status == "building":
            leased = upload.lease_until is not None and self.now < upload.lease_until
            if leased or self.now + self.lease > upload.build_until:
                return COMES_BACK
        elif not waits or archive is None:
            return SETTLED
        self.begin_build(number)
        try:
            if upload.target is None:
                self.upload_pack(archive, upload.visibility)
            else:
                self.reupload_pack(upload.target, archive, upload.if_match)
        except Refused as refused:
            upload.status, upload.error = "failed", _cause(upload, **refused.expected.body["error"])
        else:
            upload.status, upload.pack = "done", self.holder(upload.caller.org, archive.content().name)
        return SETTLED

    def begin_build(self, number: int, failed_by: str | None = None) -> Self:
        """Take the lease. A build that has begun has four of them.

        An attempt that has failed, and not because of the archive, gives it back: the next may begin at once.
        """
        upload = self.uploads[number]
        upload.status = "building"
        upload.lease_until = self.now if failed_by else self.now + self.lease
        upload.build_until = min(upload.build_until, self.now + 4 * self.lease)
        if failed_by:
            upload.error = _cause(upload, code=failed_by)
        return self


def _page(name: str, things: list[Any], query: Mapping[str, str], at_the_end: dict[str, Any]) -> Expected:
    limit = int(query["limit"])
    more = {"next_cursor": ANY} if len(things) > limit else at_the_end
    return Expected(200, {name: things[:limit]} | more)


def _cause(upload: Upload, **error: Any) -> dict[str, Any]:
    return {"message": ANY} | error | {"request_id": Learnt(upload, "id", "upl_")}


def _is_deleted(file: str, deletions: Sequence[str]) -> bool:
    return file in deletions or file.startswith(tuple(path for path in deletions if path.endswith("/")))
