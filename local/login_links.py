"""Links with which a browser signs in to the local stack's console, each once.

A link has a code in its fragment, which browsers send to nobody. The page asks the stack for the key of the code, and
the emulator (`emulator_program`) gives it away and forgets it. In AWS there is nothing of the kind.
"""

import json
import secrets
import time
from pathlib import Path
from typing import Final

import urllib3

from local.seeds import OPERATOR, PLATFORM
from local.stack import StackDescription

# Whose links are shown: an organisation like any other, the operator's own, and the operator.
WHOSE: Final = ("acme", PLATFORM, OPERATOR)
# Beside the emulator's own state, where it looks for them.
FOLDER: Final = "logins"
_LIFE_SECONDS: Final = 24 * 60 * 60
# A link that nobody has used is shown again while it works for at least so long.
_SHOWN_AGAIN_SECONDS: Final = 60 * 60
_SECONDS: Final = 30


def console_url(stack: StackDescription) -> str:
    """Return the address of the page."""
    return f"{stack['api_url']}/console"


def login_link(stack: StackDescription, folder: Path, whose: str) -> str:
    """Return a link that signs in once, or the page's address alone if no key can be made for it.

    Args:
        stack: The running stack.
        folder: Its state.
        whose: One of `WHOSE`: the organisation to sign in for, or the operator.
    """
    code = _standing(folder / FOLDER, whose) or _made(stack, folder / FOLDER, whose)
    return f"{console_url(stack)}#/login/{code}" if code else console_url(stack)


def _standing(folder: Path, whose: str) -> str | None:
    """Return the code of a link of before that nobody has used. Others are forgotten."""
    kept = None
    # A name with a dot in front is a link that is being used.
    for place in folder.glob("[!.]*"):
        made = json.loads(place.read_text())
        if made["until"] < time.time() + _SHOWN_AGAIN_SECONDS:
            place.unlink(missing_ok=True)
        elif made["slug"] == whose:
            kept = place.name
    return kept


def _made(stack: StackDescription, folder: Path, whose: str) -> str | None:
    key = stack["orgs"][PLATFORM]["keys"][OPERATOR] if whose == OPERATOR else _new_key(stack, whose)
    if key is None:
        return None
    code = secrets.token_urlsafe()
    folder.mkdir(mode=0o700, exist_ok=True)
    place = folder / code
    place.touch(mode=0o600)
    place.write_text(json.dumps({"slug": whose, "until": time.time() + _LIFE_SECONDS, "key": key}))
    return code


def _new_key(stack: StackDescription, slug: str) -> str | None:
    asked = {"label": "console of make run", "scopes": ["full_access"], "expires_in": _LIFE_SECONDS}
    answer = urllib3.request(
        "POST",
        f"{stack['api_url']}/keys",
        headers={"Authorization": f"Bearer {stack['orgs'][slug]['keys']['full_access']}"},
        json=asked,
        retries=False,
        timeout=_SECONDS,
    )
    # There are a hundred keys already: all of them work at the page.
    return str(answer.json()["key"]) if answer.status == 201 else None  # noqa: PLR2004 - RFC 9110
