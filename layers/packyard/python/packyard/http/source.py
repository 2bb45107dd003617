"""The `Packyard-Source` header: where the sender of a pack has its content from (decision 142).

Nobody has checked it. One that cannot be kept is left out, since it must not keep a publication back.
"""

from collections.abc import Mapping
from typing import Any, Final

from packyard.http.fields import Field

_MAX_CHARACTERS: Final = 512
SOURCE: Final = Field(
    name="Packyard-Source",
    example="github:acme/skills@v1",
    # No schema: nothing is refused.
    description="Where you have the content from, for the event and the provenance, in at most "
    f"{_MAX_CHARACTERS} printable characters of ASCII. Nobody checks it. A longer text, or one with other characters, "
    "is left out.",
)


def source_of(event: Mapping[str, Any]) -> str:
    """Return where the sender says that the content comes from; empty for nothing that can be kept."""
    headers = event.get("headers") or {}
    wanted = SOURCE.name.lower()
    source = next((str(text) for name, text in headers.items() if name.lower() == wanted), "")
    return source if len(source) <= _MAX_CHARACTERS and source.isascii() and source.isprintable() else ""
