"""Where skills are imported from: a repository on GitHub, ClawHub, or an index of Agent Skills.

A source fetches into a folder, and says of each skill where it is and where it came from.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote, urldefrag, urlencode, urljoin, urlsplit

from packyard.oci.digest import parse_digest
from packyard_cli.downloads import Downloads, require_safe
from packyard_cli.failure import Exit, Failure
from packyard_cli.skill_folders import skill_folders
from packyard_cli.unpacked import LIMITS, unpack

_GITHUB: Final = re.compile(
    r"github:(?P<owner>[A-Za-z0-9-]{1,39})/(?P<repo>[A-Za-z0-9._-]{1,100})@(?P<ref>[A-Za-z0-9._+-]{1,200})"
    r"(?:/(?P<path>[^\x00-\x1f\x7f]{1,500}))?"
)
_CLAWHUB: Final = re.compile(
    r"clawhub:@?(?P<owner>[A-Za-z0-9._-]{1,64})/(?P<slug>[A-Za-z0-9._-]{1,128})(?:@(?P<version>[^\s/@]{1,64}))?"
)
_WELL_KNOWN: Final = "/.well-known/"
_INDEX: Final = "index.json"
_SCHEMA: Final = "https://schemas.agentskills.io/discovery/0.2.0/schema.json"
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MAX_ENTRIES: Final = 1000
GITHUB_VARIABLE, CLAWHUB_VARIABLE = "PACKYARD_GITHUB_URL", "CLAWHUB_REGISTRY"
_GITHUB_URL: Final = "https://codeload.github.com"
_CLAWHUB_URL: Final = "https://clawhub.ai"
_FORMS: Final = (
    "Name it as github:OWNER/REPO@TAG, github:OWNER/REPO@TAG/PATH, clawhub:OWNER/SLUG[@VERSION], "
    "or https://HOST/.well-known/agent-skills/index.json[#NAME]."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A skill, or why there is none.

    Attributes:
        source: Where it came from.
        folder: Where it is; None if it could not be taken.
        failure: Why not.
        place: What everybody may know of where it came from, if that is less than the source.
    """

    source: str
    folder: Path | None = None
    failure: Failure | None = None
    place: str = ""

    @property
    def origin(self) -> str:
        """What everybody may know of where it came from."""
        return self.place or self.source


class ImportSource(Protocol):
    """Somewhere to import from."""

    def fetch(self, downloads: Downloads, into: Path) -> Iterator[Found]:
        """Yield the skills that are there.

        Args:
            downloads: Fetches.
            into: An empty folder.

        Raises:
            Failure: Nothing can be had at all.
        """


def parse_source(text: str, environment: Mapping[str, str]) -> ImportSource:
    """Return the source that a text names.

    Raises:
        Failure: It names none.
    """
    if match := _GITHUB.fullmatch(text):
        names = match.groupdict()
        parts = (names["path"] or "").strip("/").split("/")
        if names["repo"].strip(".") and not {".", ".."} & set(parts):
            base = environment.get(GITHUB_VARIABLE) or _GITHUB_URL
            return _GitHub(text=text, base=base, path="/".join(filter(None, parts)), names=names)
    elif match := _CLAWHUB.fullmatch(text):
        base = environment.get(CLAWHUB_VARIABLE) or _CLAWHUB_URL
        return _ClawHub(base=base.rstrip("/"), **match.groupdict())
    elif _WELL_KNOWN in text and text.startswith(("https://", "http://")):
        url, name = urldefrag(text)
        if not url.endswith(".json"):
            url = f"{url.rstrip('/')}/{_INDEX}"
        return _WellKnown(url=url, name=name or None)
    raise Failure(Exit.USAGE, f"{text!r} is no place to import from.", _FORMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _GitHub:
    text: str
    base: str
    path: str
    names: Mapping[str, str | None]

    def fetch(self, downloads: Downloads, into: Path) -> Iterator[Found]:
        owner, repo, ref = (quote(self.names[name] or "", safe="") for name in ("owner", "repo", "ref"))
        url = f"{self.base.rstrip('/')}/{owner}/{repo}/tar.gz/{ref}"
        require_safe(url)
        root, refused = _archive(downloads, url, into, "tree", what=self.text)
        tops = list(root.iterdir())
        # It always has the repository's name and the tag's around it.
        top = tops[0] if len(tops) == 1 and tops[0].is_dir() else root
        place = top.joinpath(*self.path.split("/")) if self.path else top
        if not place.is_dir():
            raise Failure(
                Exit.NOT_FOUND, f"{self.text} has no folder {self.path}.", "Check the path and the tag."
            )
        for folder in skill_folders(place):
            below = folder.relative_to(top).as_posix()
            source = self.text.removesuffix(f"/{self.path}") + ("" if below == "." else f"/{below}")
            yield _found(source, folder, root, refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClawHub:
    base: str
    owner: str
    slug: str
    version: str | None

    def fetch(self, downloads: Downloads, into: Path) -> Iterator[Found]:
        owner = {"ownerHandle": self.owner}
        skill = f"{self.base}/api/v1/skills/{quote(self.slug, safe='')}"
        require_safe(skill)
        about = _object(downloads.document(f"{skill}?{urlencode(owner)}"))
        version = self.version or str(_object(about.get("latestVersion")).get("version") or "")
        source = f"clawhub:{self.owner}/{self.slug}@{version}"
        if not version:
            raise Failure(
                Exit.NOT_FOUND, f"{source} has no version.", "Name one: clawhub:OWNER/SLUG@VERSION."
            )
        if _object(about.get("moderation")).get("isMalwareBlocked"):
            raise Failure(Exit.BLOCKED, f"ClawHub has blocked {source} as malware.", "Do not use it.")
        asked = urlencode({"slug": self.slug, **owner, "version": version})
        # ClawHub names no digest of the archive.
        root, refused = _archive(
            downloads, f"{self.base}/api/v1/download?{asked}", into, self.slug, what=source
        )
        yield _found(source, root, root, refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class _WellKnown:
    url: str
    name: str | None

    def fetch(self, downloads: Downloads, into: Path) -> Iterator[Found]:
        require_safe(self.url)
        index = _object(downloads.document(self.url))
        entries = index.get("skills")
        if index.get("$schema") != _SCHEMA or not isinstance(entries, list) or len(entries) > _MAX_ENTRIES:
            raise Failure(
                Exit.INVALID,
                f"{self.url} is no index of Agent Skills of version 0.2.0, or has over {_MAX_ENTRIES} entries.",
                "Check the address.",
            )
        wanted = [entry for entry in map(_object, entries) if self.name in {None, entry.get("name")}]
        if not wanted:
            raise Failure(Exit.NOT_FOUND, f"{self.url} has no skill {self.name or ''}.".replace(" .", "."))
        for number, entry in enumerate(wanted):
            source = f"{self.url}#{entry.get('name')}"
            try:
                found = self._one(entry, source, downloads, into / str(number))
                # A path may be a secret, as a feed's is, and everybody who sees the pack reads its provenance.
                host = urlsplit(self.url)
                yield replace(found, place=f"{host.scheme}://{host.netloc}/#{entry.get('name')}")
            except Failure as failure:
                yield Found(source=source, failure=failure)

    def _one(self, entry: Mapping[str, Any], source: str, downloads: Downloads, into: Path) -> Found:
        name, kind = str(entry.get("name")), entry.get("type")
        try:
            sha256 = parse_digest(str(entry["digest"])).partition(":")[2]
            url = urljoin(self.url, str(entry["url"]))
        except (KeyError, ValueError):
            raise _unfit(source, "its entry lacks a url or a digest") from None
        if _NAME.fullmatch(name) is None or kind not in {"archive", "skill-md"}:
            raise _unfit(source, "its name or its type is none of the index's")
        into.mkdir()
        if kind == "archive":
            root, refused = _archive(downloads, url, into, name, what=source, sha256=sha256)
            return _found(source, root, root, refused)
        (into / name).mkdir()
        downloads.file(url, into / name / "SKILL.md", most=LIMITS.manifest_bytes * 4, sha256=sha256)
        return Found(source=source, folder=into / name)


def _archive(  # noqa: PLR0913 - by name: what an archive has
    downloads: Downloads, url: str, into: Path, name: str, *, what: str, sha256: str | None = None
) -> tuple[Path, dict[str, str]]:
    """Return the folder into which an archive was unpacked, and what was not written."""
    file, root = into / ".archive", into / name
    downloads.file(url, file, most=LIMITS.compressed_bytes, sha256=sha256)
    root.mkdir()
    with file.open("rb") as archive:
        refused = unpack(archive, root, what=what)
    file.unlink()
    return root, refused


def _found(source: str, folder: Path, root: Path, refused: Mapping[str, str]) -> Found:
    """Return a skill, unless something of it could not be unpacked: part of a skill is another skill."""
    below = "" if folder == root else f"{folder.relative_to(root).as_posix()}/"
    for name, why in refused.items():
        if name.startswith(below):
            return Found(source=source, failure=_unfit(source, f"{name.removeprefix(below)} {why}"))
    return Found(source=source, folder=folder)


def _unfit(source: str, why: str) -> Failure:
    return Failure(Exit.INVALID, f"{source} cannot be taken: {why}.", "Tell whoever publishes it.")


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
