"""Claude Code's plugin marketplace: each pack is a plugin, whose source is the zip.

An entry that goes disables the installed plugin when the client updates the marketplace: that is how withdrawal
reaches it. Claude Code takes a plugin for unchanged while its version is the same. A pack's file can be changed without
a new version, so the image's digest is part of what the client compares.
"""

import re
from collections.abc import Iterable
from typing import Final

from packyard.doors.document import canonical_json
from packyard.doors.served_pack import ServedPack

_MAX_NAME: Final = 64
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9]+")


def marketplace(packs: Iterable[ServedPack], *, name: str, owner: str, zips: str) -> bytes:
    """Return the marketplace.

    Args:
        packs: Those that fit this door.
        name: The marketplace's name, as `marketplace_name` returns it.
        owner: The slug of the organisation whose it is.
        zips: The URL of the folder of zips. The client takes no relative one.
    """
    plugins = [
        {
            "name": pack.flat_name,
            "version": _version(pack),
            "description": pack.description,
            "source": {
                "source": "archive",
                "url": f"{zips}/{pack.zip_name}",
                "sha256": pack.zip.digest.removeprefix("sha256:"),
            },
        }
        for pack in packs
        if pack.zip is not None
    ]
    return canonical_json(
        {
            "name": name,
            "owner": {"name": owner},
            "description": f"Content packs of {owner}",
            "plugins": plugins,
        }
    )


def _version(pack: ServedPack) -> str:
    image = pack.image_digest.removeprefix("sha256:")[:12]
    # Build metadata, which SemVer's precedence ignores (SemVer 2.0.0, 10).
    return f"{pack.version}{'.' if '+' in pack.version else '+'}{image}"


def marketplace_name(owner: str, served: str) -> str:
    """Return the name of a marketplace: users write it behind the `@`.

    Args:
        owner: The slug of the organisation whose it is.
        served: The role's id, or the feed's.
    """
    return f"{owner}-{_NOT_IN_NAMES.sub('-', served.lower()).strip('-')}"[:_MAX_NAME].rstrip("-")
