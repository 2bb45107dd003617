"""Package URLs (package-url/purl-spec), of the kinds of packages that dependency files name."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

PYPI: Final = "pypi"
NPM: Final = "npm"
CARGO: Final = "cargo"

_RUNS: Final = re.compile(r"[-_.]+")
# Real names are much shorter: PyPI and npm allow 214 characters at most.
_MAX_CHARACTERS: Final = 256
_NAMES: Final = {
    # PyPA, "Name format".
    PYPI: re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"),
    # npm's names of old may have capitals and other characters that URLs may have.
    NPM: re.compile(r"(@[A-Za-z0-9._~-]+/)?[A-Za-z0-9._~-]+"),
    CARGO: re.compile(r"[A-Za-z0-9_-]+"),
}
_VERSION: Final = re.compile(r"[A-Za-z0-9._+!~-]+")


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """A package that a dependency file names.

    Attributes:
        kind: `pypi`, `npm` or `cargo`.
        name: As its registry knows it: normalised for PyPI.
        version: The exact version; empty if the file does not say one.
        wanted: What the file says instead of an exact version, such as `>=2,<3`; empty if there is a version.
    """

    kind: str
    name: str
    version: str = ""
    wanted: str = ""

    @property
    def purl(self) -> str:
        """The package's URL, with its version if that is known."""
        scope, slash, name = self.name.rpartition("/")
        path = f"{quote(scope, safe='')}{slash}{quote(name, safe='')}"
        at = f"@{quote(self.version, safe=':')}" if self.version else ""
        return f"pkg:{self.kind}/{path}{at}"


def package(kind: str, name: object, *, version: object = "", wanted: object = "") -> Package | None:
    """Return a package, or None for what is no name of that kind.

    Args:
        kind: `pypi`, `npm` or `cargo`.
        name: What the file has as a name.
        version: What it has as an exact version. What is none, such as the place of a local package, is dropped.
        wanted: What it has as a range of versions.
    """
    if not isinstance(name, str) or len(name) > _MAX_CHARACTERS or not _NAMES[kind].fullmatch(name):
        return None
    exact = version if isinstance(version, str) and _is_version(version) else ""
    asked = wanted.strip() if isinstance(wanted, str) and not exact else ""
    shown = asked if len(asked) <= _MAX_CHARACTERS and asked.isprintable() else ""
    return Package(kind, _RUNS.sub("-", name).lower() if kind == PYPI else name, exact, shown)


def _is_version(text: str) -> bool:
    return len(text) <= _MAX_CHARACTERS and _VERSION.fullmatch(text) is not None
