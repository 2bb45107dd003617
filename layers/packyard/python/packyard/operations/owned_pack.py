"""The pack that a request is about to change, and the refusals when it cannot be changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from packyard.errors import (
    InvalidRequest,
    PackDeleting,
    PackModified,
    PackNotFound,
    PermissionDenied,
    ServiceUnavailable,
)
from packyard.operations.read import get_pack, no_such_pack
from packyard.operations.unusable_images import published_before
from packyard.packs.pack import ImageOrigin, Pack, PackStatus, Tier, is_pack_id
from packyard.packs.precondition import IfMatch
from packyard.store.image_state_items import ImageNotUsable
from packyard.store.packs import Gone, PackStore, Stale
from packyard.store.repository_holds import ClaimLost, NameLost, RepositoryBusy
from packyard.tenants.caller import Actor, reaches

if TYPE_CHECKING:
    from packyard.packs.manifest.pack_manifest import Manifest


def owned_pack(pack_id: str, *, actor: Actor, packs: PackStore) -> Pack:
    """Return a pack of the actor's organisation, also one that is being deleted. One read.

    Raises:
        PackNotFound: There is none, it is deleted, it is another organisation's, or the actor is narrowed to another
            pack. The actor cannot tell which.
        ServiceUnavailable: DynamoDB did not answer.
    """
    return require_owned(packs.get(pack_id) if is_pack_id(pack_id) else None, pack_id, actor=actor)


def require_owned(pack: Pack | None, pack_id: str, *, actor: Actor) -> Pack:
    """Return a pack that was read, if the actor's organisation owns it.

    Args:
        pack: The pack; None if there is none.
        pack_id: Its id, as the client names it.
        actor: Who asks.

    Raises:
        PackNotFound: As for `owned_pack`.
    """
    if pack is None or pack.org_id != actor.org_id or pack.status is PackStatus.DELETED:
        raise no_such_pack(pack_id)
    if not reaches(actor, org_id=pack.org_id, name=pack.name):
        raise no_such_pack(pack_id)
    return pack


def require_reach(actor: Actor, name: str) -> None:
    """Check that an actor may make or write the pack of a name in its own organisation.

    Raises:
        PermissionDenied: The actor is narrowed to another pack.
    """
    if not reaches(actor, org_id=actor.org_id, name=name):
        raise PermissionDenied(
            f"This key is for the pack {actor.pack_name} only, and this is the pack {name}; use a key for that pack, "
            "or a credential of the whole organisation."
        )


def editable_pack(pack_id: str, *, caller: Actor, packs: PackStore) -> Pack:
    """Return a pack of the caller's organisation. A visible pack of another organisation is refused. One read.

    Raises:
        PackNotFound: There is no such pack that the caller can see.
        PermissionDenied: It is another organisation's.
        ServiceUnavailable: DynamoDB did not answer.
    """
    return require_editable(get_pack(pack_id, caller=caller, packs=packs), caller=caller)


def require_editable(pack: Pack, *, caller: Actor) -> Pack:
    """Return a pack that the caller can see, if the caller's organisation owns it.

    Raises:
        PermissionDenied: It is another organisation's.
    """
    if pack.org_id != caller.org_id:
        raise PermissionDenied(
            "Only the organisation that owns this pack can change it; POST /packs/{id}/clone makes a copy of your own."
        )
    return pack


_OTHERWISE: Final = {
    ImageOrigin.IMAGE_REF: "PUT /packs/{id} moves it to another tag or digest of its image",
    ImageOrigin.CLONE: "clone its source again, or upload a pack of your own",
}


def require_name(pack: Pack, manifest: "Manifest | None", *, instead: str) -> None:
    """Check that the content for a pack has the pack's name in its `pack.yaml` or `SKILL.md`.

    Args:
        pack: The pack.
        manifest: What the content says; None if it has neither.
        instead: The operation for a new pack.

    Raises:
        InvalidRequest: On `pack.yaml:name` or `SKILL.md:name`: it is another name.
    """
    if manifest is not None and manifest.name != pack.name:
        reason = f"must be {pack.name}, the name of the pack; another pack goes to {instead}"
        raise InvalidRequest({f"{manifest.file}:name": reason})


def require_archive_origin(pack: Pack, field: str = "id") -> None:
    """Check that a pack takes archives.

    Args:
        pack: The pack.
        field: Where the client named it.

    Raises:
        InvalidRequest: Its image is a reference or a clone.
    """
    if pack.image_origin is not ImageOrigin.UPLOAD:
        raise InvalidRequest(
            {
                field: f"is of origin {pack.image_origin}, which takes no archive; {_OTHERWISE[pack.image_origin]}"
            }
        )


def require_changeable_files(pack: Pack, field: str = "id") -> None:
    """Check that a pack is one whose files can be changed (API contract, section 2, "Files").

    Args:
        pack: The pack.
        field: Where the client named it.

    Raises:
        PermissionDenied: Its tier is not `community`.
        InvalidRequest: Its image is a reference, so that we have not built it.
    """
    if pack.tier is not Tier.COMMUNITY:
        raise PermissionDenied(
            f"A {pack.tier} pack is vouched for as it is: its files stay. POST /packs/{pack.id}/clone makes a copy."
        )
    if pack.image_origin is ImageOrigin.IMAGE_REF:
        otherwise = _OTHERWISE[pack.image_origin]
        raise InvalidRequest(
            {field: f"is of origin {pack.image_origin}, whose files cannot be changed; {otherwise}"}
        )


def require_changeable(pack: Pack, if_match: IfMatch | None) -> None:
    """Check that a pack may be changed, as it was read.

    Raises:
        PackDeleting: It is being deleted. This is checked first: a precondition counts only where the request would
            succeed without it (RFC 9110, section 13.2.1).
        PreconditionFailed: It is at another revision than the client has seen.
    """
    if pack.status is not PackStatus.ACTIVE:
        raise PackDeleting
    if if_match is not None and not if_match.matches(pack.revision):
        raise if_match.refusal(pack.revision)


@contextmanager
def changing(if_match: IfMatch | None) -> Iterator[None]:
    """Claim and write a change. The errors of the stores become the contract's refusals.

    Args:
        if_match: What the client has seen of the pack.

    Raises:
        PackNotFound: The pack has been deleted meanwhile.
        PackDeleting: Its deletion has begun meanwhile.
        PreconditionFailed: It has got another revision meanwhile, which the client has not seen.
        PackModified: It has got another revision meanwhile.
        RevisionWithdrawn: The pack would get an image again that is withdrawn or deleted.
        ServiceUnavailable: A cleaner was or is at work in the pack's repository; a repeat is safe.
    """
    try:
        yield
    except NameLost:
        raise PackNotFound from None
    except Gone as gone:
        if gone.current is None or gone.current.status is PackStatus.DELETED:
            raise PackNotFound from None
        raise PackDeleting from None
    except Stale as stale:
        if if_match is not None and not if_match.matches(stale.current.revision):
            raise if_match.refusal(stale.current.revision) from None
        raise PackModified from None
    except ImageNotUsable as unusable:
        raise published_before(unusable.state) from None
    except (ClaimLost, RepositoryBusy) as busy:
        raise ServiceUnavailable from busy
