"""Packs as they stand at the service: by id or name, with their files."""

from dataclasses import dataclass
from typing import Any

from packyard.packs.manifest.name import parse_slug
from packyard.packs.pack import is_pack_id
from packyard_cli.archive import HashedFile
from packyard_cli.failure import Exit, Failure
from packyard_cli.service import Service, segment

_SHA256 = "sha256:"


@dataclass(frozen=True, slots=True)
class StandingPack:
    """A pack at the service.

    Attributes:
        view: The Pack object of the API.
        etag: Its entity tag.
    """

    view: dict[str, Any]
    etag: str | None

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.view["id"])

    @property
    def path(self) -> str:
        """Its path in the API."""
        return f"/packs/{segment(self.id)}"

    @property
    def pinned(self) -> str:
        """Its image's reference, pinned by digest: what a runtime pulls."""
        return pinned_reference(self.view)


def find_pack(service: Service, text: str) -> StandingPack:
    """Return the pack of an id or a name: the own one of that name, else the only one of others.

    Raises:
        Failure: There is none, or several packs of other organisations have the name.
    """
    if is_pack_id(text):
        return get_pack(service, text)
    found = []
    if _is_slug(text):
        found = named(service, text, owned=True) or named(service, text, owned=False)
    if not found:
        raise Failure(
            Exit.NOT_FOUND,
            f"There is no pack {text!r} that you can see.",
            "packyard list shows those that you can.",
        )
    if len(found) > 1:
        ids = ", ".join(str(pack["id"]) for pack in found)
        raise Failure(
            Exit.CONFLICT,
            f"{len(found)} organisations have a pack {text!r}.",
            f"Name one by its id: {ids}",
            details={"pack_ids": [pack["id"] for pack in found]},
        )
    return get_pack(service, str(found[0]["id"]))


def _is_slug(text: str) -> bool:
    try:
        parse_slug(text)
    except ValueError:
        return False
    return True


def find_own_pack(service: Service, name: str) -> StandingPack | None:
    """Return the organisation's pack of a name, or None if there is none."""
    found = named(service, name, owned=True)
    return get_pack(service, str(found[0]["id"])) if found else None


def get_pack(service: Service, pack_id: str) -> StandingPack:
    """Return the pack of an id."""
    answer = service.get(f"/packs/{segment(pack_id)}")
    return StandingPack(answer.body, answer.etag)


def files_of(service: Service, pack: StandingPack) -> tuple[HashedFile, ...]:
    """Return the files of a pack.

    Raises:
        Failure: The service does not say what is in them.
    """
    listed = service.get(f"{pack.path}/files").body["files"]
    if any("digest" not in file for file in listed):
        raise Failure(Exit.CONFLICT, "The service does not know the digests of this pack's files.")
    return tuple(
        HashedFile(
            path=str(file["path"]),
            size=int(file["size"]),
            mode=int(str(file["mode"]), base=8),
            sha256=str(file["digest"]).removeprefix(_SHA256),
        )
        for file in listed
    )


def pinned_reference(view: dict[str, Any]) -> str:
    """Return a Pack object's image as `<repository>@<digest>`."""
    name = str(view["image_ref"]).partition("@")[0]
    before, colon, tag = name.rpartition(":")
    repository = before if colon and "/" not in tag else name
    return f"{repository}@{view['image_digest']}"


def named(service: Service, name: str, *, owned: bool) -> list[dict[str, Any]]:
    """Return the packs of exactly this name, own ones or those of others."""
    query = {"q": name, "owned": "true" if owned else "false"}
    found = []
    for pack in service.pages("/packs", "packs", query=query):
        if pack["name"] == name:
            found.append(pack)
        elif owned:
            # The own packs are listed by name, and the exact one comes first.
            break
    return found
