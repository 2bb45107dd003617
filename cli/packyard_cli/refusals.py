"""The service's refusals as failures: with its own text, the exit code of their kind, and what helps."""

import json
from collections.abc import Mapping
from typing import Final

from packyard_cli.failure import Exit, Failure

_KINDS: Final = {
    400: Exit.INVALID,
    401: Exit.NOT_SIGNED_IN,
    403: Exit.NOT_ALLOWED,
    404: Exit.NOT_FOUND,
    405: Exit.FAULT_OF_THE_COMMAND,
    409: Exit.CONFLICT,
    412: Exit.CONFLICT,
    413: Exit.INVALID,
    415: Exit.INVALID,
    423: Exit.NOT_ALLOWED,
}
# The service's own texts name its operations; these name the commands.
_ADVICE: Final = {
    "file_not_found": "packyard files PACK lists the pack's files.",
    "key_not_found": "packyard keys list shows the keys.",
    "pack_not_found": "packyard list shows the packs that you can see.",
    "route_not_found": "Check the address (packyard whoami shows it): it ends in /v1, and nothing comes after that.",
    "scan_blocked": "Correct what is named, or let it pass for a time with packyard override.",
    "role_not_found": "packyard roles list shows the roles, and packyard roles attach makes one.",
}
# A script tells them from other conflicts.
_KINDS_OF_CODES: Final = {"scan_blocked": Exit.BLOCKED}
_ADVICE_BY_STATUS: Final = {
    401: "Log in again with packyard login, or set PACKYARD_TOKEN.",
    412: "Somebody changed it meanwhile: look at it again, and repeat the command.",
}


def refusal_of(status: int, headers: Mapping[str, str], content: bytes) -> Failure | None:
    """Return an answer's refusal, with the service's own text; None if it is none."""
    if status < 400:  # noqa: PLR2004 - the first status that is an error
        return None
    kind = _KINDS.get(status, Exit.UNAVAILABLE if status >= 500 or status == 429 else Exit.INVALID)  # noqa: PLR2004
    try:
        error = json.loads(content)["error"]
        code, message = str(error["code"]), str(error["message"])
    except (ValueError, KeyError, TypeError):
        return Failure(
            # Something else has answered, so nobody has said that the thing is not there.
            Exit.UNAVAILABLE if kind is Exit.NOT_FOUND else kind,
            f"The answer is {status}, and not one of Packyard's.",
            "Check the address (packyard whoami shows it), and any proxy on the way.",
            request_id=headers.get("X-Request-Id"),
        )
    kind = _KINDS_OF_CODES.get(code, kind)
    advice = _ADVICE.get(code) or _ADVICE_BY_STATUS.get(status, "")
    details = error.get("details")
    return Failure(
        kind,
        message,
        advice,
        code=code,
        request_id=error.get("request_id"),
        details=details if isinstance(details, dict) else None,
    )
