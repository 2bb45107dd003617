"""The packages that files of Python's tools name: requirements, pyproject.toml and lock files.

Sources: pip, "Requirements File Format"; PEP 508 and 621; PEP 735 (dependency groups); PEP 751 (pylock.toml);
poetry's, pdm's, uv's and Pipenv's lock files. They are read for what they name; nothing is resolved or fetched.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from packyard.attestations.package_url import CARGO, PYPI, Package, package

_LINE_GOES_ON: Final = re.compile(r"\\\r?\n")
_COMMENT: Final = re.compile(r"(^|\s)#.*")
# PEP 508: a name, extras in brackets, and then versions, an address or nothing.
_REQUIREMENT: Final = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(.*)", re.DOTALL)
# One exact version and nothing beside it. `===` is an exact version too (PEP 440, "Arbitrary equality").
_PINNED: Final = re.compile(r"\(?\s*={2,3}\s*([A-Za-z0-9._+!-]+)\s*\)?")
# What pip's options for one requirement begin with.
_OPTION: Final = re.compile(r"\s--?[A-Za-z]")


def from_requirements(text: str) -> Iterator[Package]:
    """Yield what a requirements file names. Options, paths and addresses without a name are passed over."""
    for line in _LINE_GOES_ON.sub("", text).splitlines():
        stated = _COMMENT.sub("", line).strip()
        if stated and not stated.startswith("-"):
            yield from _requirement(_OPTION.split(stated, maxsplit=1)[0])


def from_pyproject(text: str) -> Iterator[Package]:
    """Yield what a pyproject.toml names: its dependencies, extras, groups and what builds it; poetry's tables too.

    Raises:
        ValueError: It is not TOML.
    """
    body = _toml(text)
    project, build = _table(body, "project"), _table(body, "build-system")
    yield from _requirements(project.get("dependencies"))
    yield from _requirements(build.get("requires"))
    for named in (
        *_table(project, "optional-dependencies").values(),
        *_table(body, "dependency-groups").values(),
    ):
        yield from _requirements(named)
    poetry = _table(_table(body, "tool"), "poetry")
    groups = [_table(poetry, "dependencies"), _table(poetry, "dev-dependencies")]
    groups += [
        _table(group, "dependencies") for group in _table(poetry, "group").values() if isinstance(group, dict)
    ]
    for group in groups:
        for name, wanted in group.items():
            if name != "python":
                yield from _known(package(PYPI, name, wanted=_wanted(wanted)))


def from_toml_lock(text: str) -> Iterator[Package]:
    """Yield what uv.lock, poetry.lock, pdm.lock and pylock.toml name: a list of tables with name and version.

    Raises:
        ValueError: It is not TOML.
    """
    yield from _listed(_toml(text), PYPI)


def from_cargo_lock(text: str) -> Iterator[Package]:
    """Yield what a Cargo.lock names.

    Raises:
        ValueError: It is not TOML.
    """
    yield from _listed(_toml(text), CARGO)


def from_pipfile_lock(text: str) -> Iterator[Package]:
    """Yield what a Pipfile.lock names.

    Raises:
        ValueError: It is not a JSON object.
    """
    body = json.loads(text)
    if not isinstance(body, dict):
        raise ValueError("not an object")  # noqa: TRY004 - a bad value, whatever its type
    for section, packages in body.items():
        if section != "_meta" and isinstance(packages, dict):
            for name, entry in packages.items():
                pinned = entry.get("version", "") if isinstance(entry, dict) else ""
                yield from _known(package(PYPI, name, version=str(pinned).removeprefix("==")))


def _listed(body: Mapping[str, Any], kind: str) -> Iterator[Package]:
    for key in ("package", "packages"):
        packages = body.get(key)
        for entry in packages if isinstance(packages, list) else ():
            # uv lists the project itself too, which comes from a folder and from no registry.
            if isinstance(entry, dict) and not _is_local(entry.get("source")):
                yield from _known(package(kind, entry.get("name"), version=entry.get("version", "")))


def _is_local(source: Any) -> bool:
    return isinstance(source, dict) and any(kind in source for kind in ("editable", "virtual", "directory"))


def _requirements(stated: Any) -> Iterator[Package]:
    for one in stated if isinstance(stated, list) else ():
        # A group may include another one, by a table.
        if isinstance(one, str):
            yield from _requirement(one)


def _requirement(text: str) -> Iterator[Package]:
    without_marker = text.partition(";")[0]
    found = _REQUIREMENT.fullmatch(without_marker)
    if found is None:
        return
    name, rest = found[1], found[2].strip()
    # A path or an address has no name: `./wheels/x.whl`, `https://…`. Versions and `@ address` follow a name.
    if rest and rest[0] not in "=<>!~@(":
        return
    pinned = _PINNED.fullmatch(rest)
    if pinned is not None:
        yield from _known(package(PYPI, name, version=pinned[1]))
    else:
        yield from _known(package(PYPI, name, wanted=rest))


def _wanted(stated: Any) -> str:
    return str(stated.get("version", "")) if isinstance(stated, dict) else str(stated)


def _known(found: Package | None) -> Iterable[Package]:
    return () if found is None else (found,)


def _toml(text: str) -> Mapping[str, Any]:
    return tomllib.loads(text)


def _table(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = body.get(key)
    return found if isinstance(found, dict) else {}
