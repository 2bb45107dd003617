"""ClawHub's API, version 1, as far as `clawhub` (npm) reads it. Its packs have owners, so that no name is flattened.

`license` may only be `MIT-0` or null: with anything else the client stops. It then shows a licence of its own, which
no answer of ours can prevent.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Final

from packyard.doors.document import ServedFile
from packyard.doors.served_pack import ServedPack
from packyard.packs.image_state import ImageStatus

# The order of ASCII's signs in the root collation, by which `localeCompare` sorts (Unicode CLDR, root).
_SIGNS: Final = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"


def skill_answer(pack: ServedPack, *, deprecated: bool) -> dict[str, Any]:
    """Return what `GET /skills/{slug}` answers: the client installs `latestVersion`.

    Args:
        pack: The pack.
        deprecated: Whether its owner says so now. The client then warns, and wants `--force` from programs.
    """
    withdrawn = pack.status is not ImageStatus.ACTIVE
    return {
        "skill": _skill(pack),
        "latestVersion": {**_version(pack), "license": None},
        "owner": _owner(pack),
        "moderation": {
            "isSuspicious": deprecated or withdrawn,
            "isMalwareBlocked": withdrawn,
            "verdict": "malicious" if withdrawn else "suspicious" if deprecated else "clean",
        },
    }


def version_answer(pack: ServedPack, files: Sequence[ServedFile]) -> dict[str, Any]:
    """Return what `GET /skills/{slug}/versions/{version}` answers."""
    listed = [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in files]
    return {"version": {**_version(pack), "license": None, "files": listed}, "skill": _skill(pack)}


def versions_answer(pack: ServedPack) -> dict[str, Any]:
    """Return what `GET /skills/{slug}/versions` answers: the one version that is served."""
    return {"items": [_version(pack)], "nextCursor": None}


def list_answer(packs: Iterable[ServedPack]) -> dict[str, Any]:
    """Return what `GET /skills` answers: all of them, of which there are at most 100."""
    items = [{**_skill(pack), "latestVersion": _version(pack), "owner": _owner(pack)} for pack in packs]
    return {"items": items, "nextCursor": None}


def search_answer(packs: Iterable[ServedPack], query: str, *, limit: int) -> dict[str, Any]:
    """Return what `GET /search` answers: the packs that have all words of the query, those in their name first.

    Args:
        packs: Those that fit this door.
        query: The words. Without any, all packs are found.
        limit: The most results.
    """
    words = query.casefold().split()
    found = []
    for pack in packs:
        name = pack.name.casefold()
        text = f"{name} {pack.display_name} {pack.description}".casefold()
        if all(word in text for word in words):
            found.append((sum(word in name for word in words) / max(len(words), 1), pack))
    found.sort(key=lambda scored: (-scored[0], scored[1].owner, scored[1].name))
    return {
        "results": [
            {
                "slug": pack.name,
                "ownerHandle": pack.owner,
                "displayName": pack.display_name,
                "summary": pack.description,
                "version": pack.version,
                "score": score,
                "updatedAt": _milliseconds(pack),
            }
            for score, pack in found[:limit]
        ]
    }


def resolve_answer(pack: ServedPack, files: Sequence[ServedFile], *, fingerprint: str) -> dict[str, Any]:
    """Return what `GET /resolve` answers: whether a folder with this fingerprint holds what is served.

    Args:
        pack: The pack.
        files: Its files.
        fingerprint: What the client has computed of the folder.
    """
    version = {"version": pack.version}
    return {"match": version if fingerprint == fingerprint_of(files) else None, "latestVersion": version}


def fingerprint_of(files: Iterable[ServedFile]) -> str:
    """Return what `clawhub` computes of a folder: a SHA-256 over lines of paths and digests, without dot-files."""
    shown = [file for file in files if not any(part.startswith(".") for part in file.path.split("/"))]
    lines = [f"{file.path}:{file.sha256}" for file in sorted(shown, key=lambda file: _collation(file.path))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _collation(text: str) -> tuple[list[tuple[int, int]], list[bool]]:
    """Return a key that sorts ASCII as the root collation does; beyond ASCII, by code point."""
    return [_weight(character.lower()) for character in text], [character.isupper() for character in text]


def _weight(character: str) -> tuple[int, int]:
    sign = _SIGNS.find(character)
    return (0, sign) if sign >= 0 else (1, ord(character))


def _skill(pack: ServedPack) -> dict[str, Any]:
    return {
        "slug": pack.name,
        "displayName": pack.display_name,
        "summary": pack.description,
        "tags": {"latest": pack.version},
        "stats": {},
        "createdAt": _milliseconds(pack),
        "updatedAt": _milliseconds(pack),
    }


def _version(pack: ServedPack) -> dict[str, Any]:
    return {"version": pack.version, "createdAt": _milliseconds(pack), "changelog": ""}


def _owner(pack: ServedPack) -> dict[str, Any]:
    return {"handle": pack.owner, "displayName": pack.owner}


def _milliseconds(pack: ServedPack) -> int:
    return int(pack.published_at.timestamp() * 1000)
