"""Staged uploads: a form, an archive that arrives, a build, and a status that comes to an end."""

from datetime import timedelta
from typing import Any, Final

from tests.reliability.expectations import ANY, Expected, Learnt, Refused
from tests.reliability.model_packs import timestamp
from tests.reliability.model_publishing import Publishing
from tests.reliability.model_state import VISIBILITIES, Caller, Upload

FORM_TIME: Final = timedelta(minutes=15)
ARRIVAL_TIME: Final = timedelta(minutes=45)
OUTCOME_KEPT: Final = timedelta(days=7)


class StagedUploads(Publishing):
    """The part of the contract that is about staged uploads."""

    def start_upload(
        self,
        caller: Caller,
        visibility: str | None,
        pack_id: str | None,
        if_match: str | None,
        *,
        key: str | None = None,
    ) -> Expected:
        """An archive is to come; what is seen of its pack counts now, and again when the archive is built."""
        self.admit(caller, write=True, create=True)
        if (visibility or "org") not in VISIBILITIES or (visibility and pack_id):
            raise Refused.by_fields("visibility")

        def start() -> Expected:
            if pack_id is not None:
                pack = self.owned(pack_id, caller.org)
                if pack.origin != "upload":
                    raise Refused.by_fields("pack_id")
                if if_match is not None:
                    self.require_changeable(pack, if_match)
            elif if_match is not None:
                raise Refused(412, "precondition_failed")
            upload = Upload(
                org=caller.org,
                actor=caller.actor,
                visibility=visibility or "org",
                target=pack_id,
                if_match=if_match,
                form_until=self.now + FORM_TIME,
                arrives_until=self.now + ARRIVAL_TIME,
                kept_until=self.now + OUTCOME_KEPT,
            )
            self.uploads.append(upload)
            form = {"url": ANY, "fields": ANY, "max_bytes": 268_435_456}
            return Expected(201, self._upload_view(upload) | form)

        return self.once(caller, "start", key, (visibility or "org", pack_id, if_match), start)

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
                pack, _ = self.replace_by_archive(
                    upload.org, upload.actor, upload.target, upload.archive, upload.if_match
                )
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


def _cause(upload: Upload, code: str) -> dict[str, Any]:
    return {"code": code, "message": ANY, "request_id": Learnt(upload, "id", "upl_")}
