"""Where in `pack.yaml`, or in the frontmatter of `SKILL.md`, a fault is."""

import re
from collections.abc import Iterable
from typing import Any, Final

import yaml

from packyard.packs.manifest.root_file import SKILL_PATH
from packyard.packs.skill.frontmatter import frontmatter_yaml

_STEP: Final = re.compile(r"\[(?P<index>\d+)\]|(?P<key>[^.\[]+)")


def places_of(path: str, content: bytes, fields: Iterable[str]) -> dict[str, tuple[int, int | None]]:
    """Return line and column, from 1, of what field paths such as `pack.yaml:capabilities[0].name` name.

    A path that is missing, such as a required key, has the place of the nearest part that is there.

    Args:
        path: One of `ROOT_FILES`.
        content: The file. The service's own reader has taken it for a mapping, so that it has no aliases.
        fields: The paths.
    """
    wanted = [field for field in fields if ":" in field]
    if not wanted:
        return {}
    if path == SKILL_PATH:
        content = frontmatter_yaml(content, max_bytes=len(content))
    root = yaml.compose(content.decode("utf-8-sig"), Loader=yaml.CSafeLoader)
    return {field: _place(root, field.partition(":")[2]) for field in wanted}


def _place(node: Any, path: str) -> tuple[int, int | None]:
    mark = node.start_mark
    for step in _STEP.finditer(path):
        if step["index"] is not None and isinstance(node, yaml.SequenceNode):
            index = int(step["index"])
            if index >= len(node.value):
                break
            node = node.value[index]
            mark = node.start_mark
        elif isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == step["key"]), None)
            if found is None:
                break
            mark, node = found[0].start_mark, found[1]
        else:
            break
    return mark.line + 1, mark.column + 1
