"""Pull tokens: short logins at our distribution door, for the images that one role pins.

There are two kinds. A *login* is the password that a client is given for some minutes. The door's token server changes
it, or an API key, into a *bearer* token, which every request for a manifest or a blob brings. One kind is refused where
the other is wanted. A token says for whom it is, and not what it opens: that is read from the role with each request,
so that a pin that is moved closes what it opened at once.

A token is `<kind>.<content>.<MAC>`. The algorithm is fixed: there is no header that could choose another one, and the
door loads no library for tokens while it starts.
"""

import hashlib
import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

# Longer than a runtime needs to pull its packs, and short for a secret in a file.
LOGIN_LIFETIME: Final = timedelta(minutes=15)
# Clients request another token when one ends (distribution's token specification, `expires_in`).
BEARER_LIFETIME: Final = timedelta(minutes=5)

_TOKEN: Final = re.compile(r"(login|bearer)\.([A-Za-z0-9_-]{1,2048})\.([A-Za-z0-9_-]{43})")


class TokenKind(StrEnum):
    """What a token is for."""

    LOGIN = "login"
    BEARER = "bearer"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullToken:
    """What a token says.

    Attributes:
        kind: What it is for.
        org_id: The organisation whose role it is.
        role_id: The role whose pinned images may be pulled; or `feed:` and the id of a feed, which says what may be.
        principal: Who asked for the login. Never a secret.
        expires_at: From when on it is refused, UTC.
    """

    kind: TokenKind
    org_id: str
    role_id: str
    principal: str
    expires_at: datetime


def sign_token(token: PullToken, *, key: str) -> str:
    """Return a token as text.

    Args:
        token: What it says.
        key: The secret that signs it.
    """
    content = json.dumps(
        [token.org_id, token.role_id, token.principal, token.expires_at.timestamp()], separators=(",", ":")
    )
    signed = f"{token.kind}.{_text(content.encode())}"
    return f"{signed}.{_text(_mac(signed, key))}"


def read_token(text: str, kind: TokenKind, *, keys: Iterable[str], now: datetime) -> PullToken | None:
    """Return what a token says, or None if it is not a token of this kind, or has expired.

    Args:
        text: As the client sent it.
        kind: The kind that is wanted.
        keys: The secrets that may have signed it; read only if the text can be a token.
        now: The present instant.
    """
    parts = _TOKEN.fullmatch(text)
    if parts is None or parts[1] != kind:
        return None
    mac = _bytes(parts[3])
    if not any(hmac.compare_digest(mac, _mac(f"{kind}.{parts[2]}", key)) for key in keys):
        return None
    org_id, role_id, principal, expires_at = json.loads(_bytes(parts[2]))
    if now.timestamp() >= expires_at:
        return None
    return PullToken(
        kind=kind,
        org_id=org_id,
        role_id=role_id,
        principal=principal,
        expires_at=datetime.fromtimestamp(expires_at, UTC),
    )


def _mac(signed: str, key: str) -> bytes:
    return hmac.digest(key.encode(), signed.encode(), hashlib.sha256)


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
