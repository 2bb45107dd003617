"""What a refusal says of an unknown name: the known name that was probably meant, or where the value belongs."""

from collections.abc import Collection
from typing import Final

from packyard.text.suggestion import unknown_name

# The names of other APIs, by our names.
_SYNONYMS: Final = {
    synonym: name
    for name, synonyms in {
        "archive": ("file", "package", "upload", "data"),
        "cursor": (
            "page",
            "offset",
            "after",
            "next",
            "next_cursor",
            "next_token",
            "page_token",
            "starting_after",
        ),
        "image_ref": ("image", "ref", "reference", "image_url", "url", "uri"),
        "limit": ("per_page", "page_size", "size", "count", "max", "max_results", "n", "top"),
        "owned": ("mine", "own"),
        "pack_ids": ("ids", "packs", "pack"),
        "q": ("query", "search", "name", "prefix", "filter", "name_prefix"),
        "visibility": ("public", "private", "access", "scope", "community"),
    }.items()
    for synonym in synonyms
}
_FROM_MANIFEST: Final = (
    "it comes from pack.yaml: change it there, and send the pack anew (an archive to POST /packs/{id}/upload, an image "
    "to PUT /packs/{id})"
)
_OF_IMAGE: Final = (
    "it is part of image_ref, as in ghcr.io/acme/slack-pack:1.4.0, which POST /packs and PUT /packs/{id} take"
)
_BODY_PLACES: Final = {
    **dict.fromkeys(
        ("version", "display_name", "description", "category", "capabilities", "suggested_packs"),
        _FROM_MANIFEST,
    ),
    **dict.fromkeys(("tag", "digest", "image_digest"), _OF_IMAGE),
    "name": "it comes from pack.yaml and stays for a pack's life; POST /packs/{id}/clone makes one of another name",
    "visibility": "the pack keeps the one that it has, which PATCH /packs/{id} changes",
    "deprecated": "PATCH /packs/{id} sets it",
    "image_ref": "POST /packs makes a pack of an image, and PUT /packs/{id} gives a pack another one",
    "archive": (
        "it is sent as a form: to POST /packs/upload for a new pack, to POST /packs/{id}/upload for one that stands, "
        "or over 4.5 MiB by the form that POST /packs/uploads answers"
    ),
    "pack_id": "POST /packs/{id}/upload gives a pack that stands a new archive, and PUT /packs/{id} another image",
    "pack_ids": "PUT /agent-roles/{role_id}/packs takes it",
    "revision": (
        "as a condition it goes into the header If-Match; PUT /packs/{id} takes the one to go back to"
    ),
    "tier": "the operator of this service sets it",
    "dry_run": "it goes into the query, as in ?dry_run=true",
    **dict.fromkeys(("id", "role_id"), "it is part of the path"),
    **dict.fromkeys(("org", "org_id"), "it is that of the credential"),
}
_QUERY_PLACES: Final = {
    **dict.fromkeys(("sort", "order", "order_by", "sort_by"), "the order is always the same"),
    "visibility": "every pack that you can see is listed, and with owned=true your own",
}


def unknown_field(name: str, known: Collection[str], *, kind: str) -> str:
    """Return what a refusal says of an unknown field of a body.

    Args:
        name: The name as given.
        known: The names that the operation takes.
        kind: What the name is not: `a field of this request`.
    """
    return _unknown(name, known, kind, _BODY_PLACES.get(name))


def unknown_parameter(name: str, known: Collection[str]) -> str:
    """Return what a refusal says of an unknown query parameter.

    Args:
        name: The name as given.
        known: The names that the operation takes, at least one.
    """
    return _unknown(name, known, "a query parameter of this operation", _QUERY_PLACES.get(name))


def _unknown(name: str, known: Collection[str], kind: str, place: str | None) -> str:
    meant = _SYNONYMS.get(name.lower(), name)
    return unknown_name(meant if meant in known else name, known, kind=kind, place=place)
