"""The packages that files of JavaScript's tools name: package.json and lock files.

Sources: npm, "package.json" and "package-lock.json"; yarn's lock files, of version 1 and of Berry; pnpm's lock file.
They are read for what they name; nothing is resolved or fetched.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from packyard.attestations.package_url import NPM, Package, package

_SECTIONS: Final = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_FOLDER: Final = "node_modules/"
# An exact version of npm's. A range has a sign, a space or an `x` besides.
_EXACT: Final = re.compile(r"=?v?(\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?)")
# What an entry of yarn's begins with: `"@scope/name@^1.0.0", name@npm:^2:`.
_YARN_ENTRY: Final = re.compile(r'"?(@?[^@\s",]+)@[^\n]*:')
_YARN_VERSION: Final = re.compile(r'\s+"?version"?:?\s+"?([^"\s]+)"?')
# A key below pnpm's `packages:`: `/name/1.0.0:`, `/@scope/name@1.0.0(peer@2.0.0):` or `'name@1.0.0':`.
_PNPM_ENTRY: Final = re.compile(r"  '?/?((?:@[^/@'\s]+/)?[^/@'\s]+)[/@](\d[^'()\s:_]*)[^:]*:\s*(?:\{\})?")
# `name: npm:other@1.0.0` asks for another package under a name of one's own.
_ALIAS: Final = re.compile(r"npm:((?:@[^@/]+/)?[^@/]+)(?:@(.+))?")


def from_package_json(text: str) -> Iterator[Package]:
    """Yield what a package.json names.

    Raises:
        ValueError: It is not a JSON object.
    """
    body = _object(text)
    for section in _SECTIONS:
        packages = body.get(section)
        for name, wanted in packages.items() if isinstance(packages, dict) else ():
            yield from _asked(name, wanted)


def from_package_lock(text: str) -> Iterator[Package]:
    """Yield what a package-lock.json or npm-shrinkwrap.json of any version names.

    Raises:
        ValueError: It is not a JSON object.
    """
    body = _object(text)
    packages = body.get("packages")
    if isinstance(packages, dict):
        for path, entry in packages.items():
            # Other paths are the project itself and its workspaces, and links lead to them.
            if _FOLDER in path and isinstance(entry, dict) and not entry.get("link"):
                name = entry.get("name") or path.rpartition(_FOLDER)[2]
                yield from _locked(name, entry.get("version"))
    else:
        yield from _nested(body.get("dependencies"))


def from_yarn_lock(text: str) -> Iterator[Package]:
    """Yield what a yarn.lock of version 1 or of Berry names."""
    name: str | None = None
    for line in text.splitlines():
        if line and not line[0].isspace():
            entry = _YARN_ENTRY.fullmatch(line.rstrip())
            local = "@workspace:" in line or "@file:" in line or "@link:" in line
            name = None if entry is None or local else entry[1]
        elif name is not None and (version := _YARN_VERSION.fullmatch(line.rstrip())):
            yield from _locked(name, version[1])
            name = None


def from_pnpm_lock(text: str) -> Iterator[Package]:
    """Yield what a pnpm-lock.yaml names: the keys below `packages`."""
    within = False
    for line in text.splitlines():
        if line and not line[0].isspace():
            within = line.rstrip() == "packages:"
        elif within and (entry := _PNPM_ENTRY.fullmatch(line.rstrip())):
            yield from _locked(entry[1], entry[2])


def _nested(packages: Any) -> Iterator[Package]:
    """Yield the packages of a lock file of version 1, which holds them in each other."""
    waiting = [packages]
    while waiting:
        level = waiting.pop()
        for name, entry in level.items() if isinstance(level, dict) else ():
            if isinstance(entry, dict):
                yield from _locked(name, entry.get("version"))
                waiting.append(entry.get("dependencies"))


def _asked(name: object, wanted: object) -> Iterator[Package]:
    alias = _ALIAS.fullmatch(wanted) if isinstance(wanted, str) else None
    if alias is not None:
        name, wanted = alias[1], alias[2] or ""
    exact = _EXACT.fullmatch(wanted) if isinstance(wanted, str) else None
    found = package(NPM, name, version=exact[1] if exact else "", wanted=wanted)
    if found is not None:
        yield found


def _locked(name: object, version: object) -> Iterator[Package]:
    if isinstance(version, str) and (alias := _ALIAS.fullmatch(version)):
        name, version = alias[1], alias[2]
    found = package(NPM, name, version=version)
    if found is not None:
        yield found


def _object(text: str) -> Mapping[str, Any]:
    body = json.loads(text)
    if not isinstance(body, dict):
        raise ValueError("not an object")  # noqa: TRY004 - a bad value, whatever its type
    return body
