"""`packyard init`: the skeleton of a pack."""

import argparse
import shlex
from pathlib import Path
from typing import Final

from packyard.packs.manifest.name import nearest_slug, parse_slug
from packyard.packs.manifest.root_file import MANIFEST_PATH
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.result import Result

_MANIFEST: Final = """\
name: {name}
version: 0.1.0
description: What the pack is for, in a sentence.
# category: messaging
# capabilities:          # what the pack's agents may do; nothing by default
#   - name: slack-api
#     type: http
#     allow:
#       - domains: [slack.com]
#         methods: [GET, POST]
"""
_GUIDE: Final = "# How to use {name}\n\nWrite here what an agent has to know.\n"


def init(options: argparse.Namespace, _: Context) -> Result:
    """Make a folder with a `pack.yaml` and a guide; files that are there stay.

    Raises:
        Failure: There is a `pack.yaml`, or no name can be made of the folder's.
    """
    folder = Path(options.folder)
    name = _name(options.name or "", folder)
    manifest = folder / MANIFEST_PATH
    files = {manifest: _MANIFEST.format(name=name), folder / "guides" / "start.md": _GUIDE.format(name=name)}
    if manifest.exists():
        raise Failure(Exit.CONFLICT, f"{manifest} is there already.", "Edit it, or name another folder.")
    made = []
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(text.encode())
            made.append(path.relative_to(folder).as_posix())
    place = "" if folder == Path() else f" {shlex.quote(str(folder))}"
    return Result(
        document={"name": name, "folder": str(folder), "files": made},
        lines=[
            f"Made the pack {name} in {folder}: {', '.join(made)}.",
            f"Next: edit {manifest}, then run: packyard check{place} && packyard push{place}",
        ],
        essence=[name],
    )


def _name(given: str, folder: Path) -> str:
    text = given or folder.resolve().name
    wanted = given or nearest_slug(text) or ""
    try:
        return parse_slug(wanted)
    except ValueError as error:
        advice = "Name it: packyard init --name my-pack." if not given else ""
        raise Failure(Exit.USAGE, f"The name {text!r} {error}.", advice) from None
