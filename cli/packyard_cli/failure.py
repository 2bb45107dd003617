"""What can go wrong, by kind. Each kind has an exit code of its own (docs/use/command.md)."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """The exit codes. They are stable: scripts depend on them."""

    DONE = 0
    FAULT_OF_THE_COMMAND = 1
    USAGE = 2
    INVALID = 3
    NOT_SIGNED_IN = 4
    NOT_ALLOWED = 5
    NOT_FOUND = 6
    CONFLICT = 7
    UNAVAILABLE = 8
    STALE = 9
    TAMPERED = 10
    DIFFERS = 11
    OUTSIDE = 12
    UNFIT_NAME = 13
    NO_PROFILE = 14
    DISK = 15
    LOCK = 16
    EXTRA_MISSING = 17
    BLOCKED = 18
    UNPROVED = 19
    INTERRUPTED = 130


class Failure(Exception):
    """The command cannot do what it was asked for.

    Args:
        exit_code: The kind.
        message: One sentence that says what is wrong.
        advice: What to do about it, as a sentence; empty if the message says it.
        code: The service's code, or the kind's name in lower case.
        request_id: The id under which the service's logs can be searched; None if no request was answered.
        details: The service's `details`.

    Attributes:
        told: What people read instead of the message; empty for the message itself.
    """

    def __init__(  # noqa: PLR0913 - by name: what a failure has
        self,
        exit_code: Exit,
        message: str,
        advice: str = "",
        *,
        code: str | None = None,
        request_id: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.message = message
        self.advice = advice
        self.code = code or exit_code.name.lower()
        self.request_id = request_id
        self.details = dict(details or {})
        self.told: Sequence[str] = ()

    def view(self) -> dict[str, Any]:
        """Return the failure in the form of the service's error envelope, with the exit code."""
        fields: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "advice": self.advice,
            "request_id": self.request_id,
            "details": self.details,
            "exit_code": int(self.exit_code),
        }
        return {"error": {name: value for name, value in fields.items() if value not in (None, "", {})}}

    def lines(self) -> list[str]:
        """Return the failure as lines for people."""
        lines = [*self.told] or [self.message]
        fields = self.details.get("fields")
        if isinstance(fields, Mapping) and len(fields) > 1:
            lines += [f"  {name}: {reason}" for name, reason in fields.items()]
        if self.advice:
            lines.append(f"  {self.advice}")
        if self.request_id:
            lines.append(f"  request id: {self.request_id}")
        return lines


def disk_failure(error: OSError) -> Failure:
    """Return an error of the file system as a failure."""
    import errno  # noqa: PLC0415 - failures only

    where = f" ({error.filename})" if error.filename else ""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    advice = (
        "Free some space, and repeat the command." if full else "Look at that path, and repeat the command."
    )
    what = "The disk is full" if full else f"The file system refused: {error.strerror or error}"
    return Failure(Exit.DISK, f"{what}{where}.", advice)
