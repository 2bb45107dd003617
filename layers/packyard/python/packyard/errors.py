"""All errors that the API can answer, as one class hierarchy.

PackyardError                    code                       status
├─ InvalidRequest                validation_error           400
├─ Unauthenticated               unauthenticated            401
│  └─ TokenNotAccepted           unauthenticated            401
├─ PermissionDenied              permission_denied          403
├─ NotFound
│  ├─ PackNotFound               pack_not_found             404
│  ├─ FileNotFound               file_not_found             404
│  ├─ RevisionNotFound           revision_not_found         404
│  │  └─ RevisionDeleted         revision_not_found         404
│  ├─ RoleNotFound               role_not_found             404
│  ├─ UploadNotFound             upload_not_found           404
│  ├─ KeyNotFound                key_not_found              404
│  ├─ WebhookNotFound            webhook_not_found          404
│  ├─ PublisherNotFound          publisher_not_found        404
│  ├─ OrganisationNotFound       organisation_not_found     404
│  └─ RouteNotFound              route_not_found            404
├─ MethodNotAllowed              method_not_allowed         405
├─ Conflict
│  ├─ PackNameTaken              pack_name_taken            409
│  ├─ PackInUse                  pack_in_use                409
│  ├─ PackModified               pack_modified              409
│  ├─ RoleModified               role_modified              409
│  ├─ PackDeleting               pack_deleting              409
│  ├─ CapabilitiesWidened        capabilities_widened       409
│  ├─ VersionTaken               version_taken              409
│  ├─ RevisionWithdrawn          revision_withdrawn         409
│  ├─ SignatureRequired          signature_required         409
│  ├─ ScanBlocked                scan_blocked               409
│  ├─ RevisionInUse              revision_in_use            409
│  ├─ AlreadyCreated             already_created            409
│  └─ QuotaExceeded              quota_exceeded             409
├─ PreconditionFailed            precondition_failed        412
├─ PayloadTooLarge               payload_too_large          413
├─ UnsupportedMediaType          unsupported_media_type     415
├─ BillingInactive               billing_inactive           423
├─ RateLimited                   rate_limited               429
├─ InternalError                 internal_error             500
├─ RegistryUnavailable           registry_unavailable       502
│  └─ RegistryThrottled          service_unavailable        503
├─ RegistryCleanupFailed         registry_cleanup_failed    502
├─ ServiceUnavailable            service_unavailable        503
│  └─ RequestInProgress          service_unavailable        503
└─ TimedOut                      timeout                    504

The codes and statuses are the closed list of the API contract, section 1. Messages are for people. They never contain a
stack trace, an ARN, the name of a bucket or a table, a credential, or a fact about another organisation.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class PackyardError(Exception):
    """An error with a stable code and an HTTP status. Subclasses add facts that a client can act on.

    Args:
        message: What is wrong and what helps, for people.
        details: The value of `details` in the error envelope; None or empty for none.

    Attributes:
        code: The code in the error envelope.
        status: The HTTP status.
        retry_after_seconds: The value of the response's `Retry-After`; None for no such header.
    """

    code: ClassVar[str]
    status: ClassVar[int]
    retry_after_seconds: int | None = None

    def __init__(self, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = dict(details or {})

    def inner(self, request_id: str) -> dict[str, Any]:
        """Return the inner object of the error envelope (API contract, section 1).

        Args:
            request_id: The id under which the logs can be searched: that of the request, or of the upload.
        """
        fields: dict[str, Any] = {"code": self.code, "message": self.message, "request_id": request_id}
        return {**fields, "details": self.details} if self.details else fields


class InvalidRequest(PackyardError):
    """The request, an archive, `pack.yaml` or an image is wrong.

    Args:
        fields: The faults by field path: `image_ref`, `archive`, `pack.yaml:version`, `archive:guides/a.md`.
        message: A summary; by default the first fault, and the number of further ones.
    """

    code = "validation_error"
    status = 400

    def __init__(self, fields: Mapping[str, str], message: str | None = None) -> None:
        if message is None:
            name, reason = next(iter(fields.items()))
            more = f" (and {len(fields) - 1} more, in details.fields)" if len(fields) > 1 else ""
            message = f"{name}: {reason}{more}"
        super().__init__(message, {"fields": dict(fields)})
        self.fields = dict(fields)


class Unauthenticated(PackyardError):
    """The credential is missing, unknown, expired or revoked."""

    code = "unauthenticated"
    status = 401

    def __init__(self) -> None:
        # All cases have the same message, so that nobody learns which one it was. The gateway's own responses, in the
        # template, have it too.
        super().__init__(
            "A valid credential is required: send the header Authorization: Bearer KEY, where KEY is an API key "
            "(sk_...) or a JWT, without quotes. One that is unknown, expired or revoked is refused alike."
        )


class TokenNotAccepted(Unauthenticated):
    """The token of a run of CI is not exchanged.

    Args:
        message: What is wrong and what helps. It says nothing of the organisation that the token's holder does not
        know. claims: The claims that are wrong, each with what `came`, and `configured` where the holder may know it.
    """

    def __init__(self, message: str, claims: Mapping[str, Mapping[str, str]]) -> None:
        PackyardError.__init__(self, message, {"claims": dict(claims)})


class PermissionDenied(PackyardError):
    """The credential is valid but does not allow this."""

    code = "permission_denied"
    status = 403


class NotFound(PackyardError):
    """The thing does not exist, or the caller's organisation may not know of it."""

    status = 404


class PackNotFound(NotFound):
    """There is no such pack that the caller may use in this way.

    Args:
        pack_ids: The ids that were not found, if the caller named several packs.
        misnamed: A shortened text that was given in place of an id, if it has not the form of one.
        advice: What to do about `misnamed`.
    """

    code = "pack_not_found"

    def __init__(self, pack_ids: Sequence[str] = (), *, misnamed: str = "", advice: str = "") -> None:
        message = (
            f"{misnamed!r} is not the id of a pack: pack_ and 26 capital letters and digits; {advice}"
            if misnamed
            else "There is no such pack, or you may not use it in this way. GET /packs lists the packs that you can "
            "see, and says which are owned."
        )
        super().__init__(message, {"pack_ids": list(pack_ids)} if pack_ids else None)


class FileNotFound(NotFound):
    """The pack has no such file."""

    code = "file_not_found"

    def __init__(self) -> None:
        super().__init__("The pack has no such file; GET /packs/{id}/files lists those that it has.")


class RevisionNotFound(NotFound):
    """The pack has no such revision that the caller can see.

    Args:
        pack_id: The pack, which the caller can see.
        revision: The revision, as the caller named it.
    """

    code = "revision_not_found"

    def __init__(self, pack_id: str, revision: int) -> None:
        super().__init__(
            f"{pack_id} has no revision {revision} that you can see. Its owner sees all, and other organisations those "
            "since it was last shared.",
            {"pack_id": pack_id},
        )


class RevisionDeleted(RevisionNotFound):
    """The content of the revision has been deleted; its entry in the history stays.

    Args:
        pack_id: The pack, which the caller can see.
        revision: The revision, as the caller named it.
    """

    def __init__(self, pack_id: str, revision: int) -> None:
        NotFound.__init__(
            self,
            f"The content of revision {revision} of {pack_id} has been deleted, and nothing brings it back. Its entry "
            "in GET /packs/{id}/revisions stays.",
            {"pack_id": pack_id},
        )


class RoleNotFound(NotFound):
    """The organisation has no role with this id."""

    code = "role_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such role; PUT /agent-roles/{role_id}/packs makes one.")


class UploadNotFound(NotFound):
    """The caller's organisation has no such upload, or its record was deleted after 7 days."""

    code = "upload_not_found"

    def __init__(self) -> None:
        super().__init__(
            "There is no such upload, or it is older than 7 days; POST /packs/uploads begins one."
        )


class KeyNotFound(NotFound):
    """The caller's organisation has no such API key, or the caller may not know of it."""

    code = "key_not_found"

    def __init__(self) -> None:
        super().__init__(
            "There is no such key, or it has expired, or is not one that you may revoke; GET /keys lists the ids of "
            "those that you may."
        )


class WebhookNotFound(NotFound):
    """The caller's organisation has no such webhook, or the webhook no such delivery.

    Args:
        message: What is wrong and what helps.
    """

    code = "webhook_not_found"

    def __init__(self, message: str = "") -> None:
        super().__init__(
            message
            or "Your organisation has no webhook of this id. GET /webhooks lists the webhooks that it has."
        )


class PublisherNotFound(NotFound):
    """There is no such trusted publisher that the caller may remove."""

    code = "publisher_not_found"

    def __init__(self) -> None:
        super().__init__(
            "This organisation has no such trusted publisher; GET /trusted-publishers lists them with their ids."
        )


class OrganisationNotFound(NotFound):
    """There is no such organisation. Only the operator is told."""

    code = "organisation_not_found"

    def __init__(self) -> None:
        super().__init__(
            "There is no organisation of this slug or id. A slug is what its hosts begin with; packyard admin org "
            "create makes an organisation."
        )


class FeedNotFound(NotFound):
    """There is no such feed, or it has expired. To those who have an address, all of that looks the same."""

    code = "feed_not_found"

    def __init__(self) -> None:
        super().__init__(
            "There is no such feed, or it has expired or was removed. Those who may see the organisation's feeds find "
            "them with GET /feeds."
        )


class RouteNotFound(NotFound):
    """No operation has this path."""

    code = "route_not_found"

    def __init__(self) -> None:
        super().__init__(
            "There is no such route, or not with this method; the page /docs, below the API's base URL, describes all."
        )


class MethodNotAllowed(PackyardError):
    """The path exists, but not with this method."""

    code = "method_not_allowed"
    status = 405

    def __init__(self) -> None:
        super().__init__("This path does not take that method; GET /v1/docs describes those that it takes.")


class Conflict(PackyardError):
    """The request conflicts with the current state."""

    status = 409


class PackNameTaken(Conflict):
    """Another pack of the organisation holds the name.

    Args:
        name: The name.
        pack_id: The pack that holds it; it belongs to the caller's organisation.
        advice: What to do instead, as a sentence.
    """

    code = "pack_name_taken"

    def __init__(self, name: str, pack_id: str, *, advice: str) -> None:
        super().__init__(f"The name {name!r} is taken by {pack_id}. {advice}", {"pack_id": pack_id})
        self.pack_id = pack_id


class PackDeleting(Conflict):
    """The pack, or another one that had the same name and repository, is being deleted.

    Args:
        pack_ids: The ids of such packs, if the caller named several packs.
    """

    code = "pack_deleting"

    def __init__(self, pack_ids: Sequence[str] = ()) -> None:
        what = "Packs of this list are" if pack_ids else "The pack is"
        super().__init__(
            f"{what} being deleted, and cannot be changed or attached any more. The name is free when that is done.",
            {"pack_ids": list(pack_ids)} if pack_ids else None,
        )


class PackInUse(Conflict):
    """Roles reference the pack.

    Args:
        role_ids: The first few roles of the caller's organisation that reference the pack.
        others: The number of references by other organisations; which ones is not disclosed.
    """

    code = "pack_in_use"

    def __init__(self, *, role_ids: Sequence[str] = (), others: int = 0) -> None:
        references = {"role_ids": list(role_ids), "other_organisations": others}
        advice = []
        if role_ids:
            advice.append("take it out of those in role_ids first, with PUT /agent-roles/{role_id}/packs")
        if others:
            advice.append(f"{others} belong to other organisations, which must remove it first")
        super().__init__(f"Roles reference this pack; {'; '.join(advice)}.", {"references": references})


class PackModified(Conflict):
    """Another request has changed the pack during this one; nothing was written."""

    code = "pack_modified"

    def __init__(self) -> None:
        super().__init__(
            "Another request has just changed this pack; nothing was written. Read it again and repeat."
        )


class RoleModified(Conflict):
    """Other requests keep changing the role or the packs to attach to it; nothing was written."""

    code = "role_modified"

    def __init__(self) -> None:
        super().__init__(
            "Other requests keep changing this role, or the packs that it is to get; read it again and repeat."
        )


class VersionTaken(Conflict):
    """The organisation's version policy does not allow the version; nothing was written.

    Args:
        version: The version.
        next_version: One that is free.
        why: What the policy compares with, as a sentence.
    """

    code = "version_taken"

    def __init__(self, version: str, next_version: str, *, why: str) -> None:
        super().__init__(
            f"The organisation's version policy does not allow version {version} here. {why} Write another version "
            f"into pack.yaml, such as {next_version}. GET /version-policy shows the policy.",
            {"version": version, "next_version": next_version},
        )


class AlreadyCreated(Conflict):
    """A request with the same idempotency key has made something whose secret is not kept (API contract, section 2).

    Args:
        thing_id: The id of what was made.
        advice: What to do if the secret was lost, as a sentence.
    """

    code = "already_created"

    def __init__(self, thing_id: str, *, advice: str) -> None:
        super().__init__(
            f"The first request with this Idempotency-Key has made {thing_id}, and its answer had a secret, which is "
            f"not kept. {advice}",
            {"id": thing_id},
        )


class QuotaExceeded(Conflict):
    """The organisation has as many things of a kind as it may have.

    Args:
        message: What it has too many of, and how it gets room.
        limit: The most that it may have.
        used: How many it has; None if that is not told.
        quota: Which limit it is, as `GET /usage` names it; None for one that is not there.
    """

    code = "quota_exceeded"

    def __init__(
        self, message: str, *, limit: int, used: int | None = None, quota: str | None = None
    ) -> None:
        details = {"quota": quota, "limit": limit, "used": used}
        super().__init__(message, {name: value for name, value in details.items() if value is not None})


class CapabilitiesWidened(Conflict):
    """Pins would move to revisions that may do more, and nobody has accepted that; nothing was written.

    Args:
        widened: By pack: the pinned revision as `from`, the one to move to as `to`, and how what they allow differs.
    """

    code = "capabilities_widened"

    def __init__(self, widened: Mapping[str, Mapping[str, Any]]) -> None:
        accept = ", ".join(f'"{pack_id}": {move["to"]}' for pack_id, move in widened.items())
        super().__init__(
            "Packs would move to revisions that may do more than what the role has now, or to others than those that "
            "are accepted; details.capabilities has what comes and goes. To consent, send "
            f'{{"accept_capabilities": {{{accept}}}}}.',
            {"capabilities": dict(widened)},
        )


class RevisionWithdrawn(Conflict):
    """The image of a revision was withdrawn or deleted, so that nobody can begin to use it; nothing was written.

    Args:
        message: What was refused, and what helps.
        revisions: The packs, each with the revision and its status.
    """

    code = "revision_withdrawn"

    def __init__(self, message: str, revisions: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(message, {"revisions": list(revisions)})


class SignatureRequired(Conflict):
    """The organisation's signature policy does not accept images; nothing was written.

    Args:
        images: For each image: `image`, `looked_for`, `found` and `looked_at`, and of a pack that stands its `pack_id`.
    """

    code = "signature_required"

    def __init__(self, images: Sequence[Mapping[str, Any]]) -> None:
        first = images[0]
        found = len(first["found"])
        there = {0: "nothing that counts was found", 1: "one thing was found that does not count"}.get(
            found, f"{found} things were found that do not count"
        )
        more = f" (and {len(images) - 1} more images)" if len(images) > 1 else ""
        super().__init__(
            f"The organisation's signature policy does not accept {first['image']}{more}. Looked for: "
            f"{'; '.join(first['looked_for'])}; {there}. details.images says what, and why; GET /signature-policy "
            "shows the policy. Only what is about this digest counts: for an index, what is about a platform of it "
            "does not. Signatures are read when an image is registered: if it was signed later, its owner repeats POST "
            "/packs or PUT /packs/{id} with it; whoever has a clone of it then repeats POST /packs/{id}/clone.",
            {"images": [dict(image) for image in images]},
        )


class ScanBlocked(Conflict):
    """The scan found what the organisation's scan policy refuses; nothing was written.

    Args:
        message: What was found, and what helps.
        findings: What the policy refuses, the worst first; empty if the scan did not end.
        incomplete: Why the scan did not end, if that is what the policy refuses.
    """

    code = "scan_blocked"

    def __init__(
        self, message: str, findings: Sequence[Mapping[str, Any]], *, incomplete: str | None = None
    ) -> None:
        details: dict[str, Any] = {"findings": list(findings)}
        super().__init__(message, details if incomplete is None else {**details, "incomplete": incomplete})


class RevisionInUse(Conflict):
    """The image of a revision is the pack's current one, or roles pin it; nothing was deleted.

    Args:
        message: Who uses it, and what helps.
        role_ids: The first few roles of the caller's organisation that pin it.
        others: The number of roles of other organisations that pin it; which ones is not disclosed.
    """

    code = "revision_in_use"

    def __init__(self, message: str, *, role_ids: Sequence[str] = (), others: int = 0) -> None:
        references = {"role_ids": list(role_ids), "other_organisations": others}
        super().__init__(message, {"references": references})


class PreconditionFailed(PackyardError):
    """`If-Match` or `If-None-Match` does not hold for the current state (RFC 9110, section 15.5.13).

    Args:
        message: The current state, and what to send instead.
        revision: The current revision of the thing, which the caller's organisation must own; None if there is none.
    """

    code = "precondition_failed"
    status = 412

    def __init__(self, message: str, revision: int | None = None) -> None:
        super().__init__(message, None if revision is None else {"revision": revision})


class PayloadTooLarge(PackyardError):
    """A body or an archive exceeds a limit, which the message states."""

    code = "payload_too_large"
    status = 413


class UnsupportedMediaType(PackyardError):
    """The operation does not accept the body's Content-Type."""

    code = "unsupported_media_type"
    status = 415


class BillingInactive(PackyardError):
    """The organisation's billing posture does not allow create-class calls."""

    code = "billing_inactive"
    status = 423

    def __init__(self) -> None:
        super().__init__(
            "Billing is not active for this organisation: it is past due or being closed, or its trial has ended. "
            "Until that is settled nothing can be created or changed; reading and deleting still work."
        )


class RateLimited(PackyardError):
    """The organisation has used up what it may do in some time; it may go on later.

    Args:
        message: What is used up, and when it may go on.
        seconds: After how many seconds that is.
        limit: The most that it may do.
        used: How much it has done.
        quota: Which limit it is, as `GET /usage` names it.
        resets_at: When the count begins anew, as RFC 3339; None if it has no fixed time.
    """

    code = "rate_limited"
    status = 429

    def __init__(  # noqa: PLR0913 - by name, for the client
        self, message: str, *, seconds: float, limit: int, used: int, quota: str, resets_at: str | None = None
    ) -> None:
        details = {"quota": quota, "limit": limit, "used": used, "resets_at": resets_at}
        super().__init__(message, {name: value for name, value in details.items() if value is not None})
        self.retry_after_seconds = max(1, math.ceil(seconds))


class InternalError(PackyardError):
    """An unexpected error of the service; the log has the cause under the request id."""

    code = "internal_error"
    status = 500

    def __init__(self) -> None:
        super().__init__(
            "An internal error occurred. Repeat the request; if it happens again, give the operator the request_id."
        )


class RegistryUnavailable(PackyardError):
    """A registry did not answer, answered with a 5xx status, or ended a blob too early."""

    code = "registry_unavailable"
    status = 502


class RegistryThrottled(RegistryUnavailable):
    """A registry limits the rate of requests, for longer than this request can wait.

    Args:
        seconds: The wait in seconds that the registry asks for; None if it states none.

    Attributes:
        stated_seconds: As given.
    """

    code = "service_unavailable"
    status = 503

    def __init__(self, seconds: int | None = None) -> None:
        super().__init__("The registry takes no more requests for now; try again shortly.")
        self.stated_seconds = seconds
        self.retry_after_seconds = max(seconds or 0, 1)


class RegistryCleanupFailed(PackyardError):
    """An image, or part of it, could not be removed from the service's registry yet; repeating the request is safe."""

    code = "registry_cleanup_failed"
    status = 502

    def __init__(self) -> None:
        super().__init__(
            "The image could not be removed from the registry yet. The service keeps trying; you can repeat the DELETE."
        )


class ServiceUnavailable(PackyardError):
    """A backing service failed, even after retries; repeating the request is safe."""

    code = "service_unavailable"
    status = 503
    retry_after_seconds = 1

    def __init__(
        self, message: str = "A backing service is unavailable; repeat the request when Retry-After says."
    ) -> None:
        super().__init__(message)


class RepositoryQuotaReached(ServiceUnavailable):
    """The service's registry has as many repositories as its quota allows. Only the operator can raise the quota."""

    # An hour, because a retry fails until the operator has acted.
    retry_after_seconds = 3600

    def __init__(self) -> None:
        super().__init__(
            "The service has no room for packs of new names: the quota of its registry is used up. Its operator has to"
            " raise it. Packs that exist can still be read, changed and deleted."
        )


class RequestInProgress(ServiceUnavailable):
    """The first request with the same idempotency key is still running. A later repeat will get its answer."""

    def __init__(self) -> None:
        super().__init__(
            "The first request with this Idempotency-Key is still running; repeat it when Retry-After says."
        )


class TimedOut(PackyardError):
    """The time limit has passed; repeating the request is safe."""

    code = "timeout"
    status = 504

    def __init__(self) -> None:
        super().__init__("The time limit passed; repeating the request is safe.")
