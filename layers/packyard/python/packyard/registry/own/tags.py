"""Lists all tags of a repository of our own registry, page by page (distribution-spec, "Listing Tags").

If an answer links to the next page, the link is followed as it is: Quay's is opaque (regclient #272). Otherwise the
next request names the last tag (`last`). A registry without paging then repeats the same tags, which ends the list.
"""

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Final

from packyard.errors import RegistryUnavailable
from packyard.registry.own.refusal import RegistryRefused
from packyard.registry.own.scopes import Scopes, to_push
from packyard.registry.own.transport import Transport

# A tag has at most 128 characters (distribution-spec, "Pulling manifests"), so a page stays far below our 4 MiB limit.
_TAGS_PER_PAGE: Final = 100
# Enough for ten thousand tags.
_MAX_PAGES: Final = 100
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
# Quay answers 413 to a page size above its own limit (quay/quay #2884); the standard's error code comes with 400.
_PAGE_TOO_LONG: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})

_MAX_LINKS: Final = 16 << 10
_LINK: Final = re.compile(r"<(?P<target>[^<>]*)>(?P<parameters>(?:\s*;[^,;\"<]*(?:\"[^\"]*\")?)*)")
_RELATION: Final = re.compile(r";\s*rel\s*=\s*(?:\"(?P<quoted>[^\"]*)\"|(?P<bare>[^\s;,\"]+))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TagList:
    """The tags of a repository.

    Attributes:
        tags: In the registry's order, each once.
        complete: False when there were more than 100 pages.
    """

    tags: Collection[str]
    complete: bool


@dataclass(frozen=True, slots=True)
class _Page:
    tags: Sequence[str]
    next_url: str | None = None
    accepts_page_size: bool = True


def list_tags(transport: Transport, repository: str) -> TagList:
    """Return a repository's tags, no tags if it does not exist.

    Args:
        transport: Sends the requests.
        repository: The repository's path in the registry.

    Raises:
        RegistryUnavailable: The registry did not answer, or its answer is not a list of tags.
        RegistryRefused, RegistryThrottled, ServiceUnavailable: As for `Transport.send`.
    """
    path, ask = f"/v2/{repository}/tags/list", partial(_page, transport, to_push(repository))
    # A dict serves as an ordered set.
    tags: dict[str, None] = {}
    page = transport.retrying(partial(_first_page, ask, path))
    after = f"{path}?n={_TAGS_PER_PAGE}&last=" if page.accepts_page_size else f"{path}?last="
    followed = False
    for _ in range(_MAX_PAGES - 1):
        nothing_new = tags.keys() >= set(page.tags)
        tags.update(dict.fromkeys(page.tags))
        # An empty page may link to further ones. A page with only known tags means that the links form a cycle.
        if page.next_url is not None and not (nothing_new and page.tags):
            url, followed = page.next_url, True
        elif followed or nothing_new:
            return TagList(tags, complete=True)
        else:
            url = after + page.tags[-1]
        page = transport.retrying(partial(ask, url))
    tags.update(dict.fromkeys(page.tags))
    return TagList(tags, complete=False)


def next_page(link: str) -> str | None:
    """Return the target of the link to the next page, unresolved, or None when there is none (RFC 8288).

    A link without a relation counts as `next`: some registries leave the relation out, and the tag list has no other
    links.

    Args:
        link: The value of the `Link` header; of several, joined by commas. The first 16 KiB are read.
    """
    for found in _LINK.finditer(link[:_MAX_LINKS]):
        relation = _RELATION.search(found["parameters"])
        relations = (relation["quoted"] or relation["bare"] or "").lower().split() if relation else ["next"]
        if "next" in relations and found["target"].strip():
            return found["target"].strip()
    return None


def _first_page(ask: Callable[[str], _Page], path: str) -> _Page:
    try:
        return ask(f"{path}?n={_TAGS_PER_PAGE}")
    except RegistryRefused as refused:
        if refused.answered not in _PAGE_TOO_LONG:
            raise
    return replace(ask(path), accepts_page_size=False)


def _page(transport: Transport, scopes: Scopes, url: str) -> _Page:
    answer = transport.send("GET", url, scopes=scopes, also={HTTPStatus.NOT_FOUND})
    if answer.status == HTTPStatus.NOT_FOUND:
        return _Page(())
    link = next_page(answer.headers.get("Link", ""))
    return _Page(_tags(answer.body), None if link is None else transport.resolve(link, relative_to=url))


def _tags(body: bytes) -> Sequence[str]:
    """Return the tags in an answer. A repository without tags may have `null`, or no list at all."""
    try:
        listing = json.loads(body)
        # Registries in Go may omit an empty list (`omitempty`).
        tags = (listing.get("tags") if "name" in listing else listing["tags"]) or ()
        if isinstance(tags, list | tuple) and all(_TAG.fullmatch(tag) for tag in tags):
            return list(tags)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    raise RegistryUnavailable("The registry answered with something else than its tags.")
