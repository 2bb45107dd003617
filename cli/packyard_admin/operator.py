"""How histories and events name the operator."""

import getpass
import re
from typing import Final

from packyard.tenants.caller import OPERATOR
from packyard_cli.failure import Exit, Failure

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


def operator_named(given: str | None) -> str:
    """Return the operator as an actor: as `--by` says, else by the name on this machine.

    Raises:
        Failure: The name is not 1 to 64 letters, digits and `. _ @ -`.
    """
    name = given or _login()
    if _NAME.fullmatch(name) is None:
        whose = f"--by {name!r}" if given else f"Your name on this machine, {name!r},"
        raise Failure(
            Exit.USAGE,
            f"{whose} is not 1 to 64 letters, digits and . _ @ -, beginning with a letter or digit.",
            "Name yourself with --by, for the histories and the events.",
        )
    return f"{OPERATOR}:{name}"


def operator(given: str | None) -> str:
    """Return the operator as an actor, without a name where the name on this machine cannot be used.

    Raises:
        Failure: `--by` is given, and is not such a name as `operator_named` takes.
    """
    return operator_named(given) if given or _NAME.fullmatch(_login()) else OPERATOR


def _login() -> str:
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return ""
