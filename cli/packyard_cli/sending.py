"""Sending an archive: in one request where it is small, by way of the staging bucket where it is large.

A staged upload is remembered until it has ended. A push that was interrupted while the service built goes on with it,
and one that was interrupted before sends the archive again with the same form. The form takes the archive in one
request, so a transfer that broke off starts at its beginning.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from packyard.errors import PackyardError
from packyard_cli.archive import WrittenArchive
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.form import FormBody
from packyard_cli.plan import Plan
from packyard_cli.refusals import refusal_of
from packyard_cli.service import MAX_DOCUMENT, Answer, JsonBody, Service, segment
from packyard_cli.settings import write_whole
from packyard_cli.standing import StandingPack, get_pack

# API Gateway takes 10 MB and gives Lambda 6 MB of base64, which is about 4.5 MiB (API contract, section 2).
_INLINE_BYTES: Final = 4_000_000
_FIRST_LOOK, _LONGEST_LOOK = 0.5, 5.0
_SENT, _ENDED = "building", frozenset({"done", "failed", "expired"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends what a plan says.

    Attributes:
        service: Where to.
        context: The surroundings.
        plan: What to send.
        visibility: Of a new pack; None for the service's default.
        dry_run: Whether the service is only to say what would come.
    """

    service: Service
    context: Context
    plan: Plan
    visibility: str | None
    dry_run: bool = False

    def send(self, archive: IO[bytes], written: WrittenArchive) -> StandingPack:
        """Send an archive, and return the pack that stands then.

        Raises:
            Failure: The service refused it, or was not reached.
        """
        answer = self._sent(archive, written)
        if isinstance(answer, Answer):
            return StandingPack(answer.body, answer.etag)
        return get_pack(self.service, str(answer["pack_id"]))

    def try_out(self, archive: IO[bytes], written: WrittenArchive) -> Mapping[str, Any]:
        """Send an archive for a dry run, and return what would come (API contract, section 11).

        Raises:
            Failure: The service refuses it, or was not reached.
        """
        answer = self._sent(archive, written)
        outcome: Mapping[str, Any] = answer.body if isinstance(answer, Answer) else answer["outcome"]
        return outcome

    def _sent(self, archive: IO[bytes], written: WrittenArchive) -> Answer | dict[str, Any]:
        """Send an archive, and return the answer, or the upload that has ended."""
        # Deletions need no archive, and an archive of nothing is refused.
        form = self._form(archive if self.plan.sent else None)
        if len(form) <= _INLINE_BYTES or not self.plan.sent:
            try:
                return self._inline(form)
            except Failure as failure:
                if failure.code != "payload_too_large":
                    raise
        return self._staged(archive, written)

    def _form(self, archive: IO[bytes] | None) -> FormBody:
        fields = [("visibility", self.visibility)] if self.visibility and self.plan.pack is None else []
        fields += [("version", self.plan.version)] if self.plan.version is not None else []
        fields += [("delete", path) for path in self.plan.deletions]
        return FormBody(fields, None if archive is None else ("archive", archive))

    @property
    def _query(self) -> dict[str, str]:
        return {"dry_run": "true"} if self.dry_run else {}

    def _inline(self, form: FormBody) -> Answer:
        pack = self.plan.pack
        if pack is None:
            return self.service.call("POST", "/packs/upload", query=self._query, body=form)
        what = "upload" if self.plan.whole else "changes"
        path = f"{pack.path}/{what}"
        return self.service.call("POST", path, query=self._query, body=form, if_match=pack.etag)

    def _staged(self, archive: IO[bytes], written: WrittenArchive) -> dict[str, Any]:
        memory = self._memory(written)
        upload = self._remembered(memory) or self._started(memory, written)
        if upload["status"] not in {_SENT, *_ENDED}:
            self._post(upload, archive)
        ended = self._wait(str(upload["upload_id"]))
        memory.unlink(missing_ok=True)
        if ended["status"] != "done":
            raise _failure_of(ended)
        return ended

    def _started(self, memory: Path, written: WrittenArchive) -> dict[str, Any]:
        pack = self.plan.pack
        asked: dict[str, Any] = {"size_bytes": written.size}
        asked |= {"version": self.plan.version} if self.plan.version is not None else {}
        if pack is None:
            asked |= {"visibility": self.visibility} if self.visibility else {}
        else:
            asked["pack_id"] = pack.id
            if not self.plan.whole:
                asked["kind"] = "changes"
                asked |= {"delete": list(self.plan.deletions)} if self.plan.deletions else {}
        answer = self.service.call(
            "POST",
            "/packs/uploads",
            query=self._query,
            body=JsonBody.of(asked),
            if_match=pack.etag if pack else None,
        )
        upload: dict[str, Any] = answer.body
        memory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(memory, json.dumps(upload).encode(), mode=0o600)
        return upload

    def _remembered(self, memory: Path) -> dict[str, Any] | None:
        try:
            upload: dict[str, Any] = json.loads(memory.read_bytes())
            now = self.service.get(f"/packs/uploads/{segment(str(upload['upload_id']))}").body
        except (OSError, ValueError, KeyError, Failure):
            return None
        if now["status"] in {"failed", "expired"}:
            return None
        self.context.printer.note("Going on with the upload that was begun before.")
        return {**upload, **now}

    def _memory(self, written: WrittenArchive) -> Path:
        """Return where an upload of this archive, for this pack as it stands, is remembered."""
        pack = self.plan.pack
        same = [
            self.service.login.url,
            self.service.login.token,
            pack and [pack.id, pack.etag],
            written.sha256,
        ]
        name = hashlib.sha256(
            json.dumps(
                [*same, self.plan.deletions, self.visibility, self.dry_run, self.plan.version]
            ).encode()
        ).hexdigest()
        return self.context.cache() / "uploads" / f"{name}.json"

    def _post(self, upload: Mapping[str, Any], archive: IO[bytes]) -> None:
        fields = [(str(name), str(text)) for name, text in upload["fields"].items()]
        form = FormBody(fields, ("file", archive))
        progress = self.context.progress("Sending", len(form))
        form = FormBody(fields, ("file", archive), on_bytes=progress.add, on_start=progress.restart)
        try:
            received = self.service.post_elsewhere(str(upload["url"]), form)
            content = received.read(MAX_DOCUMENT)
        finally:
            progress.end()
        if refusal_of(received.status, received.headers, content) is not None:
            raise Failure(
                Exit.UNAVAILABLE,
                f"The store for large archives answered {received.status}.",
                "Repeat the command; if it happens again, look at this machine's clock and proxies.",
            )

    def _wait(self, upload_id: str) -> dict[str, Any]:
        """Wait until an upload has ended. Every state of it has a deadline, so this ends too."""
        wait = _FIRST_LOOK
        while True:
            upload: dict[str, Any] = self.service.get(f"/packs/uploads/{segment(upload_id)}").body
            if upload["status"] in _ENDED:
                return upload
            self.service.sleep(wait)
            wait = min(wait * 1.5, _LONGEST_LOOK)


def _failure_of(upload: Mapping[str, Any]) -> Failure:
    error = upload.get("error")
    if not isinstance(error, Mapping):
        return Failure(
            Exit.UNAVAILABLE, f"The upload {upload['upload_id']} has {upload['status']}.", "Repeat the push."
        )
    statuses = dict(_statuses(PackyardError))
    status = statuses.get(str(error.get("code")), 500)
    failure = refusal_of(status, {}, json.dumps({"error": dict(error)}).encode())
    assert failure is not None  # noqa: S101 - every status of an error is at least 400
    return failure


def _statuses(kind: type[PackyardError]) -> list[tuple[str, int]]:
    own = [(kind.code, kind.status)] if hasattr(kind, "code") else []
    return [*own, *(pair for below in kind.__subclasses__() for pair in _statuses(below))]
