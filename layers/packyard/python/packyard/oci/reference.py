"""Image references, `[registry/]repository[:tag][@digest]`, parsed as Docker's tools parse them.

Grammar and normal form follow the `reference` package of the CNCF's distribution project; lengths follow the
OCI distribution-spec, section "Pulling manifests".
"""

import re
from dataclasses import dataclass
from typing import Final

from packyard.oci.digest import Digest, parse_digest

DOCKER_HUB: Final = "docker.io"

_DOCKER_HUB_ALIAS: Final = "index.docker.io"
_OFFICIAL_IMAGES: Final = "library/"
_DEFAULT_TAG: Final = "latest"
_TLS_PORT: Final = 443
_MAX_PORT: Final = 65_535
# The limit of many clients for registry and repository together.
_MAX_NAME: Final = 255
# A name, a tag of 128 characters, a digest of 71 characters, and two separators.
_MAX_TEXT: Final = _MAX_NAME + 1 + 128 + 1 + 71

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_REPOSITORY: Final = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_LOGIN: Final = re.compile(r"[^/@:]+:[^/@]*@[^/@]*/")
_SLASHES: Final = re.compile(r"[/\\]+")
_FILE_SCHEMES: Final = frozenset(
    {"file", "s3", "gs", "git", "ssh", "ftp", "oci-archive", "docker-archive", "dir"}
)
_IMAGE_ID: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    """An image's reference in normal form. Parsing its text gives an equal reference.

    Attributes:
        registry: The host in lower case, and the port unless it is 443. `docker.io` stands for Docker Hub.
        repository: The path in the registry.
        tag: The tag; None is possible only if there is a digest.
        digest: The digest; if there is one, it takes precedence over the tag.
    """

    registry: str
    repository: str
    tag: str | None
    digest: Digest | None

    @property
    def target(self) -> str:
        """The digest or, without one, the tag: what to request from the registry."""
        return self.digest or self.tag or _DEFAULT_TAG

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.repository}{tag}{digest}"


def parse_reference(text: str) -> Reference:
    """Parse a reference, with the defaults of Docker's tools for missing parts.

    Raises:
        ValueError: `text` is not a reference, or its digest is not a sha256 digest. The message is for people.
    """
    if not text or len(text) > _MAX_TEXT:
        raise ValueError(f"must be 1 to {_MAX_TEXT} characters, such as ghcr.io/acme/slack-pack:1.4.0")
    if text != text.strip():
        raise ValueError(f"must not begin or end with white space{_as_in(text.strip())}")
    _refuse_common_mistakes(text)
    name, at, digest = text.partition("@")
    name, tag = _split_tag(name)
    registry, repository = _split_registry(name)
    if registry == DOCKER_HUB and "/" not in repository:
        repository = _OFFICIAL_IMAGES + repository
    if _REPOSITORY.fullmatch(repository) is None:
        tidy = _SLASHES.sub("/", name).strip("/").lower() + text[len(name) :]
        hint = _as_in(tidy) if tidy != text else ""
        raise ValueError(
            f"the repository must be lower-case letters and digits, in parts joined by one of . _ - or /{hint}"
        )
    if len(registry) + 1 + len(repository) > _MAX_NAME:
        raise ValueError(f"registry and repository must be at most {_MAX_NAME} characters")
    return Reference(
        registry=registry,
        repository=repository,
        tag=_DEFAULT_TAG if tag is None and not at else tag,
        digest=_parse_digest(digest, name) if at else None,
    )


def parse_registry(text: str) -> str:
    """Return the normal form of a registry, as in `Reference.registry`.

    Args:
        text: A host name or an IPv4 address, and optionally a colon and a port.

    Raises:
        ValueError: `text` is not a host, or a host and a port. The message is for people.
    """
    host, colon, port = text.lower().partition(":")
    if _HOST.fullmatch(host) is None or len(host) > _MAX_NAME:
        raise ValueError("the registry must be a host name or an IPv4 address, and may have a port")
    if colon and (_PORT.fullmatch(port) is None or int(port) > _MAX_PORT):
        raise ValueError(f"the registry's port must be a number from 1 to {_MAX_PORT}")
    # A host of a single label keeps its port. Without it, the host would be parsed as part of a Docker Hub repository.
    if colon and not (port == str(_TLS_PORT) and "." in host):
        return f"{host}:{port}"
    return DOCKER_HUB if host == _DOCKER_HUB_ALIAS else host


def same_repository(one: Reference, other: Reference) -> bool:
    """Return whether two references name the same repository, whatever their tags and digests."""
    return (one.registry, one.repository) == (other.registry, other.repository)


def _as_in(text: str) -> str:
    """Return `, as in <text>` to append to a message, or an empty text if `text` is no valid reference."""
    try:
        parse_reference(text)
    except ValueError:
        return ""
    return f", as in {text}"


def _split_tag(name: str) -> tuple[str, str | None]:
    """Return a name without its tag, and the tag. A colon before the last slash belongs to a port."""
    path, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        return name, None
    if _TAG.fullmatch(tag) is None:
        # A version's plus is an underscore in tags (packs.version.tag_of; Helm does the same).
        hint = _as_in(f"{path}:{tag.replace('+', '_')}") if "+" in tag else ""
        raise ValueError(f"the tag must be a letter, digit or _, then at most 127 of those, . and -{hint}")
    return path, tag


def _split_registry(name: str) -> tuple[str, str]:
    """Return the registry and the path. The part before the first slash is a registry if it looks like a host."""
    first, slash, rest = name.partition("/")
    if first.startswith("["):
        raise ValueError("IPv6 addresses are not taken; name the registry's host")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return parse_registry(first), rest
    return DOCKER_HUB, name


def _parse_digest(text: str, name: str) -> Digest:
    try:
        return parse_digest(text)
    except ValueError as error:
        as_tag = _as_in(f"{name}:{text}")
        hint = f"; a tag follows a colon{as_tag}" if as_tag else ""
        if text != text.lower():
            hint = _as_in(f"{name}@{text.lower()}") or hint
        raise ValueError(f"the digest {error}{hint}") from None


def _refuse_common_mistakes(text: str) -> None:
    words = text.split()
    if len(words) > 1:
        hint = next((hint for word in words if "/" in word and (hint := _as_in(word))), "")
        raise ValueError(f"must be a reference and nothing else, without spaces{hint}")
    scheme, separator, rest = text.partition("://")
    if text.startswith((".", "~")) or (separator and scheme in _FILE_SCHEMES):
        raise ValueError(
            "must name an image in a registry, such as ghcr.io/acme/slack-pack:1.4.0; a folder goes to POST "
            "/packs/upload, as an archive"
        )
    if separator:
        hint = _as_in(rest.rstrip("/")) if "://" not in rest else ""
        raise ValueError(f"must not begin with {scheme}://; leave that out{hint}")
    if _IMAGE_ID.fullmatch(text.removeprefix("sha256:")):
        what = "a digest alone" if text.startswith("sha256:") else "an image id"
        raise ValueError(f"must name a repository, as in ghcr.io/acme/slack-pack@sha256:…; this is {what}")
    if _LOGIN.match(text):
        raise ValueError(
            "must not hold a user and a password; the operator of this service keeps credentials"
        )
