"""The service as its contract describes it: requests come one after the other, and nothing fails.

It is written from the contract, so that the code can be checked against it. `Model.ask` carries a request out and
returns its answer, or raises `Refused`. What only the service can know (ids, digests) the model learns from the first
answer that states it, and requires from then on. What may be one way or the other (what a crash has left, for example)
is not in here: `possible_states.py` keeps several models, and drops those that an answer contradicts.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final, NamedTuple, Self
from unittest.mock import ANY

from tests.reliability.model.comparisons import Comparisons
from tests.reliability.model.counts import Counts
from tests.reliability.model.expectations import (
    Expected,
    IfStated,
    Learnt,
    Refused,
    page,
    require,
    require_field,
    require_none_wrong,
)
from tests.reliability.model.feeds import Feeds
from tests.reliability.model.hooks import Hooks
from tests.reliability.model.images import Images
from tests.reliability.model.keys import Keys
from tests.reliability.model.packs import (
    ABSENT,
    NO_PATHS,
    NO_PLACES,
    Archive,
    Brought,
    Content,
    Pack,
    Reference,
    timestamp,
)
from tests.reliability.model.roles import Roles
from tests.reliability.model.state import (
    Key,
    Upload,
)
from tests.reliability.model.versions import Versions

FORM_TIME: Final = timedelta(minutes=15)
# The scope that operations with these words in their names need, others than those on packs (section 1).
_SCOPES: Final = {
    "role": "roles:write",
    "pull_token": "roles:write",
    "key": "keys:write",
    "usage": "audit:read",
    "delete_revision": "policy:write",
    "retention": "policy:write",
    "version_policy": "policy:write",
    "signature_policy": "policy:write",
    "webhook": "hooks:write",
    "feed": "roles:write",
    "rotate_secret": "hooks:write",
}
# What creates no pack, billing does not gate (decision 84).
_NOT_GATED: Final = ("delete_", "remove_", "restore_", "revoke_", "set_role_packs", "refresh_role", "issue_")
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


class Model(Roles, Keys, Comparisons, Counts, Images, Versions, Hooks, Feeds):
    """The whole contract: a method for each operation, which takes what the request states."""

    def ask(
        self, operation: str, key: Key, args: Mapping[str, Any], once: str | None, **more: Any
    ) -> Expected:
        """Carry a request out. Its method is told `more` than the request states. `once` is its idempotency key."""
        self.pushed_to, self.taking = None, None
        # Credential, scope and billing posture come before anything else, in this order.
        self.caller = self.caller_of(key)
        scope = next((_SCOPES[word] for word in _SCOPES if word in operation), "caps:write")
        reads = operation.startswith(("get_", "list_", "download_", "version_policy", "signature_policy"))
        creates = not reads and not operation.startswith(_NOT_GATED)
        open_to_all = reads and scope != "audit:read"
        require(open_to_all or scope in self.caller.scopes, 403, "permission_denied")
        require(self.caller.org not in self.lapsed or not creates, 423, "billing_inactive")
        stated = args.get("visibility")
        replaces = operation == "start_upload" and args["pack_id"]
        require_field(stated in (None, "org", "community") and not (stated and replaces), "visibility")
        if operation != "start_upload" and args.get("dry_run"):
            return self.tried(operation, {**args, **more})
        if once is None or args.get("dry_run"):
            return self.act(operation, {**args, **more})
        request = {
            **args,
            "visibility": stated or "org",
            "actor": self.caller.actor if "key" in operation else "",
        }
        return self.answer_once(operation, once, request, partial(self.act, operation, {**args, **more}))

    def act(self, operation: str, args: Mapping[str, Any]) -> Expected:
        if operation != "start_upload":
            args = {name: args[name] for name in args if name != "dry_run"}
        expected: Expected = getattr(self, operation)(**args)
        return expected

    def tried(self, operation: str, args: Mapping[str, Any]) -> Expected:
        """A dry run says what the request would do, and changes nothing."""
        twin = self.copy()
        twin.caller = self.caller
        answer, pack_id = twin.act(operation, args), args.get("pack_id")
        after = twin.known(pack_id) if pack_id else twin.holder(self.caller.org, answer.body["name"])
        assert after is not None
        before = self.known(pack_id) if pack_id else self.holder(self.caller.org, after.name)
        changes = before is None or len(before.history) < len(after.history)
        outcome: dict[str, Any] = {"dry_run": True, "pack": after.tried(stands=before is not None)}
        outcome |= {"outcome": "created" if before is None else "changed" if changes else "unchanged"}
        old, new = before.content.files if before else {}, after.content.files
        both = new.keys() & old.keys()
        files = [sorted(new.keys() - old), sorted(old.keys() - new), [p for p in both if new[p] != old[p]]]
        counts = dict(zip(("added", "removed", "changed"), map(len, files), strict=True))
        listed = {"counts": counts, "added": files[0], "removed": files[1], "changed": ANY}
        outcome |= {"files": IfStated(listed), "limits": IfStated(ANY)}
        if before is not None:
            texts = [pack.content.manifest.get("capabilities") for pack in (before, after)]
            differs = {name: IfStated(ANY) for name in ("added", "removed", "example")}
            differs |= {"widened": IfStated(bool(after.content.allows - before.content.allows))}
            outcome |= {"manifest": ANY, "capabilities": differs | {"changed": texts[0] != texts[1]}}
            outcome |= {"from": before.tried(stands=True)} if changes else {}
        return Expected(200, outcome)

    def upload_pack(self, archive: Archive, visibility: str) -> Expected:
        content = archive.content()
        return self.add("upload", content.name, content, visibility)

    def create_pack(
        self, image_ref: Reference, visibility: str, found: Content, unread: bool = False
    ) -> Expected:
        require_field(found is not ABSENT, "image_ref")
        # In the service's own registry, an image has to be where the name of its pack guards it.
        is_elsewhere = not image_ref.place.startswith(f"{self.host}/")
        is_guarded = image_ref.place == f"{self.host}/packs/{self.caller.org}/{found.name}"
        require_field(is_elsewhere or is_guarded, "image_ref")
        brought = self.read(image_ref, found, unread=unread)
        self.require_accepted(found, brought)
        return self.add("image_ref", found.name, found, visibility, ref=str(image_ref), brought=brought)

    def clone_pack(self, pack_id: str, name: str | None, visibility: str) -> Expected:
        source = self.visible(pack_id)
        require(not source.deletion, 409, "pack_deleting")
        self.require_usable(source, source.content, len(source.history))
        self.require_all_accepted((source, source.content))
        brought = source.brought.get(source.content)
        name = name or source.name
        return self.add("clone", name, source.content, visibility, source=source, brought=brought)

    def add(
        self,
        origin: str,
        name: str,
        content: Content,
        visibility: str,
        *,
        ref: str = "",
        source: Any = None,
        brought: Brought | None = None,
    ) -> Expected:
        """Add a pack. A name is taken, unless the pack that has it is what the request asks for."""
        org = self.caller.org
        standing = self.holder(org, name)
        if standing is not None:
            same = (standing.content, standing.visibility) == (content, visibility) and standing is not source
            same = same and origin in ("upload", standing.origin) and ref in ("", standing.image_ref)
            pack_id = Learnt(standing, "id", "pack_")
            require(same and not standing.deletion, 409, "pack_name_taken", pack_id=pack_id)
            self.require_usable(standing, content, len(standing.history))
            if brought is not None:
                self.keep(standing, content, brought)
            return standing.answer(org)
        self.require_version(name, content, None)
        pack = Pack(org, name, origin, brought={} if brought is None else {content: brought})
        self.publish(pack, "create" if ref else origin, content, ref, visibility=visibility)
        self.packs.append(pack)
        if source is not None:
            source.clones[content] = source.clones.get(content, 0) + 1
        return pack.answer(org, 201)

    def publish(
        self, pack: Pack, operation: str, content: Content, ref: str = "", returns: bool = False, **more: Any
    ) -> None:
        """Give a pack an image that we build, unless it refers to one that is there.

        It counts if the image is another one. Its version is noted unless the pack `returns` to an image of its own.
        """
        self.pushed_to = (pack.org, pack.name)
        if not pack.history or content is not pack.content:
            try:
                self.require_room(new=not pack.history)
            except Refused:
                self.abandoned |= {self.pushed_to}
                raise
        if not returns:
            self.published.setdefault((pack.org, pack.name), {})[content.version] = content
        if not ref:
            self.set_tag(pack, content)
        ref = ref or f"{self.host}/packs/{pack.org}/{pack.name}:{content.version}"
        pack.history.append(self.entry(pack, operation, content=content, image_ref=ref, **more))

    def reupload_pack(self, pack_id: str, archive: Archive, if_match: str | None) -> Expected:
        content = archive.content()
        pack = self.own(pack_id)
        require_field(pack.origin == "upload", "id")
        require_field(content.name == pack.name, "pack.yaml:name")
        self.require_current(pack, if_match)
        if pack.content is not content:
            self.require_version(pack.name, content, pack)
        self.require_offered(pack, content)
        if pack.content is not content:
            self.publish(pack, "reupload", content)
        return pack.answer(self.caller.org)

    def replace_pack(
        self,
        pack_id: str,
        image_ref: Reference,
        if_match: str | None,
        found: Content,
        unread: bool = False,
    ) -> Expected:
        """Only tag or digest may change. For a built pack this is the way back to an earlier version."""
        pack = self.own(pack_id)
        require_field(pack.place == image_ref.place, "image_ref")
        self.require_current(pack, if_match)
        require_field(found is not ABSENT, "image_ref")
        ours = image_ref.place.startswith(f"{self.host}/")
        returns = ours and any(entry.content is found for entry in pack.history)
        # A clone under another name has its source's `pack.yaml`, and may go back to it.
        require_field(returns or found.name == pack.name, "pack.yaml:name")
        if found is pack.content:
            self.require_offered(pack, found)
        if pack.brought:
            self.require_accepted(found, self.brought_to(pack, image_ref, found, unread=unread))
        if (pack.image_ref, pack.content) != (str(image_ref), found):
            if not returns:
                self.require_version(pack.name, found, pack)
            self.require_offered(pack, found)
            self.publish(pack, "replace", found, str(image_ref), returns)
        if pack.brought:
            self.keep(pack, found, self.brought_to(pack, image_ref, found, unread=unread))
        return pack.answer(self.caller.org)

    def brought_to(self, pack: Pack, reference: Reference, content: Content, *, unread: bool) -> Brought:
        """Return what an image brings to a pack. What the image of a clone brings came with it."""
        if pack.origin == "clone" and content in pack.brought:
            return pack.brought[content]
        return self.read(reference, content, unread=unread)

    def require_offered(self, pack: Pack, content: Content) -> None:
        """Refuse content of a pack that it has, or has had, and that was taken back."""
        current = len(pack.history) if content is pack.content else None
        self.require_usable(pack, content, current)

    def update_pack(
        self,
        pack_id: str,
        if_match: str | None,
        visibility: str | None = None,
        deprecated: Mapping[str, str] | None = None,
    ) -> Expected:
        """Change who may see a pack, deprecate it, or both."""
        pack = self.own(pack_id, 403, "permission_denied")
        self.require_current(pack, if_match)
        last = pack.history[-1]
        said = last.deprecated if deprecated is None else tuple(sorted(deprecated.items()))
        visibility = visibility or last.visibility
        shares = visibility != last.visibility
        if shares or said != last.deprecated:
            if shares and visibility == "org":
                self.require_unused(pack, by_owner=False)
            operation = "update" if shares else "deprecate"
            pack.history.append(self.entry(pack, operation, visibility=visibility, deprecated=said))
        return pack.answer(self.caller.org)

    def delete_pack(self, pack_id: str, if_match: str | None, *, only_decide: bool = False) -> Expected:
        """A repeat of a deletion is answered that it is done, whichever request did it."""
        pack = self.known(pack_id)
        if pack is None or pack.org != self.caller.org:
            raise Refused(404, "pack_not_found")
        if not pack.deletion:
            self.require_current(pack, if_match)
            self.require_unused(pack, by_owner=True)
            pack.deletion = self.entry(pack, "delete")
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
        require_field(path not in NO_PATHS, "path")
        pack = self.own(pack_id, 403, "permission_denied")
        require_field(pack.origin != "image_ref", "id")
        require(not pack.deletion, 409, "pack_deleting")
        if path == "pack.yaml":
            stated = Content.of({path: content})
            kept = {"name": (stated.name, pack.name), "version": (stated.version, pack.content.version)}
            require_none_wrong(*(f"pack.yaml:{f}" for f, (new, old) in kept.items() if new != old))
        require_field(path not in NO_PLACES, "path")
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
            edited = Content.edited(files, pack.name)
            immutable = self.policies.get(pack.org, ("", 0))[0] == "immutable"
            if immutable or edited.version != pack.content.version:
                self.require_version(pack.name, edited, pack)
            self.require_usable(pack, edited)
            self.publish(pack, operation, edited)
        return pack.answer(self.caller.org)

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
            and (pack.org == org or not pack.withdrawn)
            and query.get("owned") in (None, "true" if pack.org == org else "false")
            and query.get("tier") in (None, "community")
            and query.get("category") in (None, pack.content.manifest.get("category"))
            and pack.name.startswith(query.get("q", ""))
            and (cursor is None or pack.position > cursor.after)
        ]
        # A page that ends where its reads end may not know that it is the last.
        return page("packs", [pack.view(org) for pack in listed], query, {"next_cursor": IfStated(ANY)})

    def list_revisions(self, pack_id: str, query: Mapping[str, str], start: int) -> Expected:
        """Return the history, the newest entry first. It is the owner's only."""
        pack = self.own(pack_id)
        entries = [pack.entry_view(number) for number in range(1, len(pack.history) + 1)]
        return page("revisions", entries[::-1][start:], query, {})

    def download_pack(self, pack_id: str, query: Mapping[str, str]) -> Expected:
        pack = self.visible(pack_id)
        revision = int(query.get("revision", len(pack.history)))
        require(pack.shows(revision, self.caller.org), 404, "revision_not_found", pack_id=pack_id)
        content = pack.history[revision - 1].content
        gone = pack.image(content).status == "deleted"
        require(not gone, 404, "revision_not_found", pack_id=pack_id)
        digests = content.digests
        return Expected(200, {"image": ANY, "documents": ANY, "layers": ANY} | digests)

    def start_upload(
        self, visibility: str | None, pack_id: str | None, if_match: str | None, dry_run: bool = False
    ) -> Expected:
        """An archive is to come. The condition on its pack counts now, and again when the archive is built."""
        if pack_id is not None:
            pack = self.own(pack_id)
            require_field(pack.origin == "upload", "pack_id")
            if if_match is not None:
                self.require_current(pack, if_match)
        require(pack_id or not if_match, 412, "precondition_failed")
        upload = Upload(self.caller, visibility or "org", pack_id, if_match, self.now, dry_run)
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
        view |= {"dry_run": True} if upload.dry_run else {}
        view |= {"outcome": upload.outcome} if upload.outcome else {}
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
        operation, args = "upload_pack", {"archive": archive, "visibility": upload.visibility}
        if upload.target is not None:
            args = {"archive": archive, "pack_id": upload.target, "if_match": upload.if_match}
            operation = "reupload_pack"
        try:
            answer = (self.tried if upload.dry_run else self.act)(operation, args)
        except Refused as refused:
            upload.status, upload.error = "failed", _cause(upload, **refused.expected.body["error"])
            return SETTLED
        upload.status = "done"
        if upload.dry_run:
            upload.outcome = answer.body
        else:
            upload.pack = self.holder(upload.caller.org, archive.content().name)
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


def _cause(upload: Upload, **error: Any) -> dict[str, Any]:
    return {"message": ANY} | error | {"request_id": Learnt(upload, "id", "upl_")}


def _is_deleted(file: str, deletions: Sequence[str]) -> bool:
    return file in deletions or file.startswith(tuple(path for path in deletions if path.endswith("/")))
