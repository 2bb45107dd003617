"""How much an answer of the gateway can carry."""

from typing import Final

# Lambda can answer with 6 MB of JSON, in which bytes are base64 and text is escaped (Lambda quotas).
MAX_INLINE_BYTES: Final = 4400 << 10
