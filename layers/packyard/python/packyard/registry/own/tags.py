"""The tags of a repository of our own registry, all pages of them (distribution-spec, "Listing Tags").

A registry that names its next page is followed there, whatever the URL looks like: Quay's is opaque (regclient #272).
Another is asked for what comes after the last tag; one that knows no pages then answers with the same tags again.
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

# Of at most 128 characters each (distribution-spec, "Pulling manifests"), so that a page stays well below what we read.
_TAGS_PER_PAGE: Final = 100
# As many as ten thousand tags.
_MAX_PAGES: Final = 100
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
# Quay answers 413 to pages longer than its own (quay/quay #2884); the standard's code for it comes with 400.
_PAGE_TOO_LONG: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})

_MAX_LINKS: Final = 16 << 10
_LINK: Final = re.compile(r"<(?P<target>[^<>]*)>(?P<parameters>(?:\s*;[^,;\"<]*(?:\"[^\"]*\")?)*)")
_RELATION: Final = re.compile(r";\s*rel\s*=\s*(?:\"(?P<quoted>[^\"]*)\"|(?P<bare>[^\s;,\"]+))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TagList:
    """The tags of a repository.

    Attributes:
        tags: In the registry's order, each once.
        complete: False when there were more pages than are read at once.
    """

    tags: Collection[str]
    complete: bool


@dataclass(frozen=True, slots=True)
class _Page:
    tags: Sequence[str]
    next_url: str | None = None
    of_our_size: bool = True


def list_tags(transport: Transport, repository: str) -> TagList:
    """Return a repository's tags; none for one that is not there.

    Args:
        transport: Asks the registry.
        repository: Its path in the registry.

    Raises:
        RegistryUnavailable: The registry does not answer, or not with tags.
    """
    path, ask = f"/v2/{repository}/tags/list", partial(_page, transport, to_push(repository))
    # A mapping, for its order.
    tags: dict[str, None] = {}
    page = transport.persistently(partial(_first_page, ask, path))
    after = f"{path}?n={_TAGS_PER_PAGE}&last=" if page.of_our_size else f"{path}?last="
    followed = False
    for _ in range(_MAX_PAGES - 1):
        nothing_new = tags.keys() >= set(page.tags)
        tags.update(dict.fromkeys(page.tags))
        # An empty page may be followed by others; one that says again what others have said is a circle.
        if page.next_url is not None and not (nothing_new and page.tags):
            url, followed = page.next_url, True
        elif followed or nothing_new:
            return TagList(tags, complete=True)
        else:
            url = after + page.tags[-1]
        page = transport.persistently(partial(ask, url))
    tags.update(dict.fromkeys(page.tags))
    return TagList(tags, complete=False)


def next_page(link: str) -> str | None:
    """Return the target of the next page as it is written, or None when there is none (RFC 8288).

    A link that states no relation is taken for the next page's: some registries leave it out, and no registry links to
    anything else from its tags.

    Args:
        link: The `Link` header; several of them joined by commas.
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
    return replace(ask(path), of_our_size=False)


def _page(transport: Transport, scopes: Scopes, url: str) -> _Page:
    answer = transport.send("GET", url, scopes=scopes, also={HTTPStatus.NOT_FOUND})
    if answer.status == HTTPStatus.NOT_FOUND:
        return _Page(())
    link = next_page(answer.headers.get("Link", ""))
    return _Page(_tags(answer.body), None if link is None else transport.resolve(link, relative_to=url))


def _tags(body: bytes) -> Sequence[str]:
    """Return the tags that a registry lists; none for a repository that it names without any (`null`, or no list)."""
    try:
        listing = json.loads(body)
        # Go leaves out what is empty, where it is told to.
        tags = (listing.get("tags") if "name" in listing else listing["tags"]) or ()
        if isinstance(tags, list | tuple) and all(_TAG.fullmatch(tag) for tag in tags):
            return list(tags)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    raise RegistryUnavailable("The registry answered with something else than its tags.")
