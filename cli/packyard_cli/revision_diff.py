"""`packyard diff PACK FROM [TO]`: two revisions of a pack, as the service compares them."""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from packyard_cli.archive import HashedFile
from packyard_cli.capability_words import difference_lines
from packyard_cli.context import Context
from packyard_cli.differences import Difference
from packyard_cli.result import Result
from packyard_cli.revisions import revision_number, revision_view
from packyard_cli.service import Service
from packyard_cli.standing import StandingPack, find_pack

_SHORT = ("version", "display_name", "category")
_SHA256 = "sha256:"


def revision_diff(options: argparse.Namespace, context: Context) -> Result:
    """Compare two revisions of a pack. Only the answer of the service is read, no content.

    Raises:
        Failure: There is no such pack or revision.
    """
    service = context.service()
    pack = find_pack(service, options.folder)
    query = {"from": str(revision_number(service, pack, options.other))}
    if options.to is not None:
        query["to"] = str(revision_number(service, pack, options.to))
    found = service.get(f"{pack.path}/diff", query=query).body
    lines = [
        *(_manifest_lines(found, *_both(service, pack, found)) if found["manifest"] else ()),
        *difference_lines(found["capabilities"]),
        *(_files(found["files"]).lines() if "files" in found else [str(found["files_unknown"])]),
    ]
    step = f"The least step of the version that fits: {found['bump']}." if "bump" in found else None
    equal = not lines
    return Result(
        document={"equal": equal, **found},
        lines=[
            f"{pack.view['name']}, revision {found['from']} to {found['to']}",
            *(lines or ["Nothing differs."]),
            *([step] if step and not equal else []),
        ],
        essence=lines,
    )


def _both(
    service: Service, pack: StandingPack, found: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    before, after = (revision_view(service, pack, int(found[name])) for name in ("from", "to"))
    return before, after


def _manifest_lines(
    found: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[str]:
    """Yield the keys of `pack.yaml` that differ, and the values of those that are short."""
    for key in found["manifest"]:
        if key in _SHORT:
            yield f"~ {key} {before.get(key, 'none')} to {after.get(key, 'none')}"
        elif key != "capabilities":
            yield f"~ {key}"
        elif not found["capabilities"]["added"] and not found["capabilities"]["removed"]:
            yield "~ capabilities: other text, the same requests are allowed"


def _files(files: Mapping[str, Any]) -> Difference:
    return Difference(
        added=tuple(_file(file["path"], file) for file in files["added"]),
        removed=tuple(_file(file["path"], file) for file in files["removed"]),
        changed=tuple(
            (_file(file["path"], file["from"]), _file(file["path"], file["to"])) for file in files["changed"]
        ),
    )


def _file(path: str, state: Mapping[str, Any]) -> HashedFile:
    return HashedFile(
        path=path,
        size=int(state["size"]),
        mode=int(str(state["mode"]), base=8),
        sha256=str(state["digest"]).removeprefix(_SHA256),
    )
