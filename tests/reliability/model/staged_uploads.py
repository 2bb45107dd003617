"""Packs from archives, inline and staged: a form, an archive that arrives, a build, and a status that ends."""

from datetime import timedelta
from typing import Any, Final

from tests.reliability.model.expectations import ANY, Expected, Learnt, Refused
from tests.reliability.model.packs import Archive, Content, Pack, timestamp
from tests.reliability.model.state import Caller, State, Upload

FORM_TIME: Final = timedelta(minutes=15)
ARRIVAL_TIME: Final = timedelta(minutes=45)
OUTCOME_KEPT: Final = timedelta(days=7)

# A pack, and what its request is answered.
Made = tuple[Pack, Expected]


class StagedUploads(State):
    """The part of the contract that is about archives."""

    def create_of_archive(self, caller: Caller, archive: Archive, visibility: str) -> Made:
        content = archive.content()
        standing = self.holder(caller.org, content.name)
        if standing is None:
            return self.add(caller, "upload", content.name, content=content, visibility=visibility)
        same = (standing.content, standing.visibility) == (content, visibility)
        return standing, self.repeated(standing, same=same)

    def replace_by_archive(
        self, caller: Caller, pack_id: str, archive: Archive, if_match: str | None
    ) -> Made:
        content = archive.content()
        pack = self.owned(pack_id, caller.org)
        if pack.origin != "upload":
            raise Refused.by_fields("id")
        if content.name != pack.name:
            raise Refused.by_fields("pack.yaml:name")
        self.require_changeable(pack, if_match)
        if pack.content != content:
            self.publish(pack, "reupload", caller, content)
        return pack, pack.answer(200, caller.org)

    def add(
        self, caller: Caller, origin: str, name: str, *, content: Content, visibility: str, ref: str = ""
    ) -> Made:
        """Add a pack. An image reference is given for one of origin `image_ref` only."""
        image_ref = ref or f"{self.host}/packs/{caller.org}/{name}:{content.version}"
        pack = Pack(caller.org, name, origin, visibility, content, image_ref, self.now, self.now)
        pack.enter("create" if ref else origin, caller.actor)
        self.packs.append(pack)
        self.pushed_to = (caller.org, name)
        if not ref:
            self.set_tag(pack, content)
        return pack, pack.answer(201, caller.org)

    def repeated(self, standing: Pack, *, same: bool) -> Expected:
        """A name is taken, unless the pack that has it is what the request asks for."""
        if standing.is_active and same:
            return standing.answer(200, standing.org)
        raise Refused(409, "pack_name_taken", pack_id=Learnt(standing, "id", "pack_"))

    def publish(self, pack: Pack, operation: str, caller: Caller, content: Content) -> None:
        """Give a built pack other content."""
        ref = f"{self.host}/packs/{pack.org}/{pack.name}:{content.version}"
        self.pushed_to = (pack.org, pack.name)
        self.set_tag(pack, content)
        pack.change(operation, caller.actor, self.now, content=content, image_ref=ref)

    # -- staged uploads -------------------------------------------------------------------------------------------

    def start_upload(
        self,
        caller: Caller,
        visibility: str | None = None,
        pack_id: str | None = None,
        if_match: str | None = None,
    ) -> Expected:
        """An archive is to come. The condition on its pack counts now, and again when the archive is built."""
        if pack_id is not None:
            pack = self.owned(pack_id, caller.org)
            if pack.origin != "upload":
                raise Refused.by_fields("pack_id")
            if if_match is not None:
                self.require_changeable(pack, if_match)
        elif if_match is not None:
            raise Refused(412, "precondition_failed")
        until = (self.now + FORM_TIME, self.now + ARRIVAL_TIME, self.now + OUTCOME_KEPT)
        upload = Upload(caller.org, caller.actor, visibility or "org", pack_id, if_match, *until)
        self.uploads.append(upload)
        form = {"url": ANY, "fields": ANY, "max_bytes": 268_435_456}
        return Expected(201, self._upload_view(upload) | form)

    def get_upload(self, caller: Caller, upload_id: str) -> Expected:
        upload = next((u for u in self.uploads if (u.id, u.org) == (upload_id, caller.org)), None)
        if upload is None or self.now > upload.kept_until:
            raise Refused(404, "upload_not_found")
        return Expected(200, self._upload_view(upload))

    def _upload_view(self, upload: Upload) -> dict[str, Any]:
        """No state lasts without end: each says until when it can last."""
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
        view = {"upload_id": Learnt(upload, "id", "upl_"), "status": status, "expires_at": timestamp(until)}
        if upload.pack is not None:
            view["pack_id"] = Learnt(upload.pack, "id", "pack_")
        elif upload.target is not None:
            view["pack_id"] = upload.target
        return view | ({"error": error} if status == "failed" else {})

    def build(self, upload: Upload) -> bool:
        """S3 has told of an archive. Return whether the message is settled, or has to come again."""
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
        caller = Caller(upload.org, upload.actor)
        try:
            if upload.target is None:
                pack, _ = self.create_of_archive(caller, upload.archive, upload.visibility)
            else:
                pack, _ = self.replace_by_archive(caller, upload.target, upload.archive, upload.if_match)
        except Refused as refused:
            upload.status = "failed"
            upload.error = refused.expected.body["error"] | {"request_id": Learnt(upload, "id", "upl_")}
        else:
            upload.status, upload.pack = "done", pack
        return True

    def begin_build(self, upload: Upload) -> None:
        """Take the lease. A build that has begun has four of them."""
        upload.status = "building"
        upload.lease_until = self.now + self.lease
        upload.build_until = upload.build_until or self.now + 4 * self.lease

    def give_up_build(self, upload: Upload, code: str) -> None:
        """An attempt has failed, and not because of the archive: the next may begin at once."""
        self.begin_build(upload)
        upload.lease_until = self.now
        upload.error = _cause(upload, code)


def _cause(upload: Upload, code: str) -> dict[str, Any]:
    return {"code": code, "message": ANY, "request_id": Learnt(upload, "id", "upl_")}
