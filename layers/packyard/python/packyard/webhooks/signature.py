"""Secrets and signatures (Standard Webhooks 1.0, "Signature scheme" and "Webhook headers")."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Final

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the prefix of every secret
# The specification asks for 24 to 64 random bytes.
SECRET_BYTES: Final = 32


def secret_text(secret: bytes) -> str:
    """Return a secret as its receiver gets it: `whsec_` and base64."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def signed_headers(secrets: Iterable[bytes], *, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers that tell a receiver who has sent a body, and when.

    Args:
        secrets: Each signs; the receiver accepts a body if one of the signatures is of a secret that it knows.
        message_id: The same in every attempt. It has no full stop, which separates what is signed.
        at: When this attempt is made.
        body: The bytes that are sent.
    """
    timestamp = str(int(at.timestamp()))
    content = b".".join((message_id.encode(), timestamp.encode(), body))
    signatures = (
        base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode() for secret in secrets
    )
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
