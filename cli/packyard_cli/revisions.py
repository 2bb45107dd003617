"""Revisions of packs at the service, by their numbers or versions."""

from typing import Any

from packyard.packs.manifest.version_text import parse_version
from packyard_cli.failure import Exit, Failure
from packyard_cli.service import Service
from packyard_cli.standing import StandingPack

_MAX_DIGITS = 10


def names_revision(text: str) -> bool:
    """Return whether a text can be the number or the version of a revision."""
    if _is_number(text):
        return True
    try:
        parse_version(text)
    except ValueError:
        return False
    return True


def revision_number(service: Service, pack: StandingPack, text: str) -> int:
    """Return the number of a revision.

    Args:
        service: The service.
        pack: The pack.
        text: The number; or a version, for the newest revision that has it.

    Raises:
        Failure: It is neither, or there is no such revision.
    """
    if _is_number(text):
        return int(text)
    if not names_revision(text):
        raise Failure(
            Exit.USAGE,
            f"{text!r} is neither the number of a revision nor a version.",
            f"packyard revisions {pack.view['name']} lists both.",
        )
    if pack.view["version"] == text and not pack.view["owned"]:
        # Others are not told the history, but the present revision.
        return _number_in(str(pack.etag))
    for entry in history_of(service, pack):
        if entry["version"] == text:
            return int(entry["revision"])
    raise Failure(
        Exit.NOT_FOUND,
        f"{pack.view['name']} has no revision of the version {text}.",
        f"packyard revisions {pack.view['name']} lists those that it has.",
    )


def history_of(service: Service, pack: StandingPack) -> list[dict[str, Any]]:
    """Return the history of an own pack, the newest revision first."""
    return list(service.pages(f"{pack.path}/revisions", "revisions", query={"limit": "100"}))


def revision_view(service: Service, pack: StandingPack, number: int) -> dict[str, Any]:
    """Return the Pack object as of a revision."""
    view: dict[str, Any] = service.get(f"{pack.path}/revisions/{number}").body
    return view


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS


def _number_in(tag: str) -> int:
    return int("".join(character for character in tag if character.isdigit()))
