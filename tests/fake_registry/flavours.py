"""Flavours: how other registries differ from the CNCF's, in ways that clients have to accept.

A flavour answers as its registry has been seen to answer, by the reports that are named; what it keeps, and what it
refuses, is the same for all.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Flavour:
    """How a registry words its answers.

    Attributes:
        statuses: Of answers that say 201 or 202 by the standard: by method and the kind of what was asked for.
        names_digests: Whether an answer to a PUT says what was stored.
        absolute: Whether it names whole URLs, and not paths.
        spelt: How it spells its own base URL where it names it.
        opaque_pages: Whether the URL of the next page holds a token instead of a tag.
        longest_page: Tags; a request for more is refused with 413.
        empty: What it lists as the tags of a repository that has none.
        mounts: Whether it takes a blob over from another repository.
        links: Whether it says where its next page is.
        located: How it writes a `Location`: of `{origin}`, `{port}`, what follows `/v2/` as `{rest}`, and `{session}`.
        lists_referrers: Whether it lists what refers to an image, and says so of each such manifest.
        least_chunk: The shortest piece of an upload that is not its last, in bytes, as it says.
    """

    statuses: Mapping[tuple[str, str], int]
    names_digests: bool = True
    absolute: bool = False
    spelt: Callable[[str], str] = str
    opaque_pages: bool = False
    longest_page: int = 1000
    empty: bytes = b"[]"
    mounts: bool = True
    links: bool = True
    located: str | None = None
    least_chunk: int | None = None
    lists_referrers: bool = False

    def query(self, query: Mapping[str, str]) -> dict[str, str]:
        """Return a query with the standard's parameters."""
        found = dict(query)
        if self.opaque_pages:
            # It ignores `last` (regclient #272).
            found.pop("last", None)
            if "next_page" in found:
                found["last"] = urlsafe_b64decode(found.pop("next_page")).decode()
        if not self.mounts:
            found.pop("mount", None)
        return found

    def status(self, method: str, path: str, status: int) -> int:
        """Return the status with which it answers instead."""
        kind = next((kind for kind in ("uploads", "blobs", "manifests") if f"/{kind}/" in path), "")
        return self.statuses.get((method, kind), status) if status < 400 else status

    def headers(self, method: str, headers: Headers, base_url: str) -> dict[str, str]:
        """Return the headers with which it answers instead."""
        found = dict(headers)
        own = self.spelt(base_url) if self.absolute else ""
        if "Location" in found:
            found["Location"] = own + found["Location"]
            if self.located is not None:
                found["Location"] = self.located.format(
                    origin=base_url,
                    port=base_url.rpartition(":")[2],
                    rest=headers["Location"].removeprefix("/v2/"),
                    session=headers["Location"].rpartition("/")[2],
                )
            if method == "POST" and self.least_chunk is not None:
                found["OCI-Chunk-Min-Length"] = str(self.least_chunk)
        if not self.links:
            found.pop("Link", None)
        if "Link" in found:
            found["Link"] = self._link(found["Link"], own)
        if method == "PUT" and not self.names_digests:
            found.pop("Docker-Content-Digest", None)
        return found

    def _link(self, link: str, own: str) -> str:
        if self.opaque_pages:
            start, _, last = link.removesuffix('>; rel="next"').partition("last=")
            link = f'{start}next_page={urlsafe_b64encode(last.encode()).decode()}>; rel="next"'
        return link.replace("<", f"<{own}")


def _shouted(url: str) -> str:
    """Return a base URL in other letters, with the root's dot: the same origin (RFC 3986, section 6.2)."""
    scheme, _, rest = url.partition("://")
    host, colon, port = rest.partition(":")
    return f"{scheme.upper()}://{host.upper()}{'' if host.replace('.', '').isdigit() else '.'}{colon}{port}"


PLAIN: Final = Flavour(statuses={})
# containers/image #381: other 2xx; HEAD redirects to the storage; regclient #272 and quay #2884: its pages.
QUAY: Final = Flavour(
    statuses={("PUT", "manifests"): 202, ("HEAD", "blobs"): 302, ("DELETE", "manifests"): 200},
    names_digests=False,
    absolute=True,
    opaque_pages=True,
    longest_page=50,
)
# Its core answers for the CNCF's registry behind it; goharbor/harbor, src/server/registry.
# It has had the API for referrers since 2.8.
HARBOR: Final = Flavour(
    statuses={("PUT", "uploads"): 204, ("DELETE", "manifests"): 204}, empty=b"null", lists_referrers=True
)
# A rewritten fork of the CNCF's registry behind a proxy; container-registry, docs/spec/docker/v2/api.md.
GITLAB: Final = Flavour(
    statuses={("POST", "uploads"): 200, ("PUT", "manifests"): 200},
    absolute=True,
    spelt=_shouted,
    mounts=False,
)
FLAVOURS: Final = {"fake": PLAIN, "quay-like": QUAY, "harbor-like": HARBOR, "gitlab-like": GITLAB}


def dressed(reply: Any, flavour: Flavour, *, method: str, path: str, base_url: str) -> Any:
    """Return a reply in a flavour."""
    return replace(
        reply,
        status=flavour.status(method, path, reply.status),
        headers=flavour.headers(method, reply.headers, base_url),
    )
