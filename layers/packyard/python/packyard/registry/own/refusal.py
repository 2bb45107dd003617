"""The errors that answers of our own registry stand for, with advice for its operator.

A client gets the same message for each such error. The registry's answer and the advice are notes of the exception:
notes are logged with the traceback and never sent to a client.
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
# Codes of the distribution-spec, "Error Codes". They may come with any status.
NAME_UNKNOWN: Final = "NAME_UNKNOWN"
_TOO_MANY: Final = "TOOMANYREQUESTS"

_FORBIDDEN = (
    "The registry does not allow this to our login. RegistryLoginArn must name a secret with a user and a password that"
    " the registry accepts, with the rights to pull, push and delete in all repositories below RepositoryPrefix. The"
    " project or namespace must exist there, and its quota must not be used up."
)
_NO_DELETION = (
    "The registry does not allow deletion. Until deletion is switched on there (for the CNCF's registry:"
    " storage.delete.enabled), no pack can be deleted, and every retry of a deletion fails."
)
_TOO_LARGE = (
    "The registry, or a proxy in front of it, limits the size of a request's body (nginx: client_max_body_size). A"
    " layer is sent in one piece."
)
_REDIRECTED = (
    "The registry redirects this request. Packyard does not send a login to the target of a redirect. RegistryUrl must"
    " be the final address."
)
_NOT_THERE = (
    "The registry has no such repository and does not create it. The project or namespace that RepositoryPrefix begins"
    " with must exist there."
)
_OTHERWISE = "The registry refuses this request, and a retry would not help. Its answer is above."


class RegistryRefused(RegistryUnavailable):
    """Our registry refused a request, or asked for something that we do not do.

    A retry would not help, so the request is not retried.

    Attributes:
        answered: The HTTP status of the answer; 0 if the cause was not a status.
        codes: The error codes in the answer (distribution-spec, "Error Codes").

    Args:
        answered: As above.
        codes: As above.
        notes: Text for the operator, which is logged with the traceback.
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
    """Our registry refuses to move a tag from one image to another."""


def failure(
    method: str, path: str, status: int, headers: Mapping[str, str], body: bytes
) -> RegistryUnavailable:
    """Return the error that an answer of our registry stands for.

    Args:
        method: The request's method.
        path: The request's path, without the query, which may hold the state of an upload.
        status: The answer's status.
        headers: The answer's headers.
        body: The answer's body, or its beginning.

    Returns:
        RegistryThrottled for 429, the code TOOMANYREQUESTS, or 503 with `Retry-After`; RegistryBroken for other server
        errors; RegistryUnavailable for other statuses that ask to try again later; else RegistryRefused.
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
    """Return advice for the operator of a registry that refused a request.

    Args:
        method: The request's method.
        path: The request's path.
        status: The answer's status.
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
    """Return the error codes in an answer's body; none if it does not have the form of the distribution-spec."""
    try:
        errors = json.loads(body)["errors"][:_MAX_ERRORS]
        return frozenset(str(error["code"]).upper() for error in errors)
    except (ValueError, TypeError, KeyError, RecursionError):
        return frozenset()
