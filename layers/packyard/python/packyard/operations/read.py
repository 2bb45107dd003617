"""Reading one pack."""

from typing import Final

from packyard.errors import PackNotFound
from packyard.packs.manifest.name import nearest_slug
from packyard.packs.pack import Pack, PackStatus, Visibility, is_pack_id
from packyard.store.packs import PackStore
from packyard.tenants.caller import Actor, reaches

_SHOWN: Final = 64
# What programs send when a variable has no value.
_PLACEHOLDERS: Final = frozenset({"null", "none", "undefined", "nil", "nan", "id", "pack_id"})


def get_pack(pack_id: str, *, caller: Actor, packs: PackStore) -> Pack:
    """Return a pack that the caller can see.

    Raises:
        PackNotFound: There is none, it is deleted, it is another organisation's, or the caller is narrowed to another
            pack. The caller cannot tell which.
    """
    return require_visible(packs.get(pack_id) if is_pack_id(pack_id) else None, pack_id, caller=caller)


def require_visible(pack: Pack | None, pack_id: str, *, caller: Actor) -> Pack:
    """Return a pack that was read, if the caller can see it.

    Args:
        pack: The pack; None if there is none.
        pack_id: Its id, as the client names it.
        caller: Who asks.

    Raises:
        PackNotFound: As for `get_pack`.
    """
    if pack is None or pack.status is PackStatus.DELETED or not is_visible(pack, caller):
        raise no_such_pack(pack_id)
    return pack


def no_such_pack(pack_id: str) -> PackNotFound:
    """Return the refusal of a pack's id. It is the same for a pack that never was, a deleted one and a hidden one."""
    if is_pack_id(pack_id):
        return PackNotFound()
    if is_pack_id("pack_" + pack_id.removeprefix("pack_").upper()):
        meant = "pack_" + pack_id.removeprefix("pack_").upper()
        return PackNotFound(misnamed=pack_id, advice=f"did you mean {meant}?")
    if pack_id.startswith("upl_"):
        advice = "it is that of an upload, and GET /packs/uploads/{upload_id} has the pack's when it is done."
        return PackNotFound(misnamed=pack_id[:_SHOWN], advice=advice)
    if pack_id.strip("{}<>$:").lower() in _PLACEHOLDERS:
        return PackNotFound(
            misnamed=pack_id, advice="the variable that should hold it was empty or not filled in."
        )
    # `name:1.0.0` and `name@sha256:…` are how images are called, not packs.
    pack_id = pack_id.partition("@")[0].partition(":")[0]
    search = nearest_slug(pack_id[:_SHOWN]) or "NAME"
    return PackNotFound(misnamed=pack_id[:_SHOWN], advice=f"GET /packs?q={search} finds it by its name.")


def is_visible(pack: Pack, caller: Actor) -> bool:
    """Return whether the caller's organisation owns the pack or everyone may see it (API contract, section 1).

    A caller that is narrowed to one pack sees no other.
    """
    if not reaches(caller, org_id=pack.org_id, name=pack.name):
        return False
    return pack.org_id == caller.org_id or pack.visibility is Visibility.COMMUNITY
