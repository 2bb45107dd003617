"""What our own registry does not do, and what its operator can do about it.

A client reads the same of every failure. The registry's own words and what helps are notes of the exception: a note
reaches the log with the traceback, and no client.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from packyard.errors import RegistryThrottled, RegistryUnavailable
from packyard.registry.retry_after import retry_after_seconds
from packyard.registry.statuses import REDIRECTS, RETRY_LATER, SERVER_ERRORS

_NOTED_BYTES: Final = 2 << 10
_MAX_ERRORS: Final = 16
# Under whatever status: distribution-spec, "Error Codes".
NAME_UNKNOWN: Final = "NAME_UNKNOWN"
_TOO_MANY: Final = "TOOMANYREQUESTS"

_FORBIDDEN = (
    "The registry does not let our login do this. RegistryLoginArn must name a secret with a user and a password that"
    " it takes, with the rights to pull, push and delete in all repositories below RepositoryPrefix. The project or"
    " namespace must exist there, and its quota must not be used up."
)
_NO_DELETION = (
    "The registry does not delete. Until deletion is switched on there (for the CNCF's registry:"
    " storage.delete.enabled), no pack can be deleted, and every retry of a deletion fails."
)
_TOO_LARGE = (
    "The registry, or a proxy in front of it, limits the size of a request's body (nginx: client_max_body_size). A"
    " layer is sent in one piece."
)
_REDIRECTED = (
    "The registry redirects this request, and we follow no redirect with a login. RegistryUrl must be the address that"
    " answers itself."
)
_NOT_THERE = (
    "The registry has no such repository and makes none. The project or namespace that RepositoryPrefix begins with"
    " must exist there."
)
_OTHERWISE = "The registry refuses this for good. What it says is above."


class RegistryRefused(RegistryUnavailable):
    """Our registry answered that it will not do what it was asked, or asks for what we do not do.

    Asking again would change nothing, so nobody does within the same request.

    Attributes:
        answered: The HTTP status of its answer; 0 where something else than a status was the cause.
        codes: The error codes that it gave (distribution-spec, "Error Codes").

    Args:
        answered: See above.
        codes: See above.
        notes: For the operator.
    """

    def __init__(self, answered: int, codes: frozenset[str] = frozenset(), *notes: str) -> None:
        super().__init__(
            "The registry of this deployment refused a request; its operator finds why in the log."
        )
        self.answered = answered
        self.codes = codes
        for note in notes:
            self.add_note(note)


class RegistryBroken(RegistryUnavailable):
    """Our registry answered 5xx."""


class TagKept(RegistryRefused):
    """Our registry keeps a tag on the image that it names, and does not let it name another."""


def failure(
    method: str, path: str, status: int, headers: Mapping[str, str], body: bytes
) -> RegistryUnavailable:
    """Return the error that an answer of our registry stands for.

    Args:
        method: Of the request.
        path: Of the request, without its query, which may hold the state of an upload.
        status: Of the answer.
        headers: Of the answer.
        body: Of the answer, or its beginning.
    """
    said = f"{method} {path} answered {status}: {body[:_NOTED_BYTES]!r}"
    codes = error_codes(body)
    wait = retry_after_seconds(headers)
    found: RegistryUnavailable
    if (
        status == HTTPStatus.TOO_MANY_REQUESTS
        or _TOO_MANY in codes
        or (status == HTTPStatus.SERVICE_UNAVAILABLE and wait is not None)
    ):
        found = RegistryThrottled(wait)
    elif status in SERVER_ERRORS:
        found = RegistryBroken("The registry is not able to answer at the moment.")
    elif status in RETRY_LATER:
        found = RegistryUnavailable("The registry is not able to answer at the moment.")
    else:
        return RegistryRefused(status, codes, said, advice(method, path, status))
    found.add_note(said)
    return found


def advice(method: str, path: str, status: int) -> str:
    """Return what helps the operator of a registry that answers so.

    Args:
        method: Of the request.
        path: Of the request.
        status: Of the answer.
    """
    if status in REDIRECTS:
        return _REDIRECTED
    if status == HTTPStatus.NOT_FOUND and path.endswith("/blobs/uploads/"):
        return _NOT_THERE
    if status == HTTPStatus.METHOD_NOT_ALLOWED and method == "DELETE":
        return _NO_DELETION
    known: dict[int, str] = {
        HTTPStatus.UNAUTHORIZED: _FORBIDDEN,
        HTTPStatus.FORBIDDEN: _FORBIDDEN,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _TOO_LARGE,
    }
    return known.get(status, _OTHERWISE)


def error_codes(body: bytes) -> frozenset[str]:
    """Return the error codes that an answer's body holds; none where it is not what the standard says."""
    try:
        errors = json.loads(body)["errors"][:_MAX_ERRORS]
        return frozenset(str(error["code"]).upper() for error in errors)
    except (ValueError, TypeError, KeyError, RecursionError):
        return frozenset()
