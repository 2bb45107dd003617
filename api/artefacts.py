"""The two files that the function `api_docs` serves."""

import json
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from api.document import build
from api.operations import OPERATIONS
from api.page import render

PROJECT: Final = Path(__file__).parents[1]
FUNCTIONS: Final = PROJECT / "functions"
SERVED_FROM: Final = FUNCTIONS / "api_docs"


@cache
def document() -> dict[str, Any]:
    """Return the document of this checkout, for reading only. It has the operations whose functions are there."""
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    deployed = [operation for operation in OPERATIONS if (FUNCTIONS / operation.function / "app.py").exists()]
    return build(deployed, version=version)


def artefacts() -> Iterator[tuple[Path, str]]:
    """Yield each file with its content."""
    built = document()
    yield SERVED_FROM / "openapi.json", json.dumps(built, indent=1, ensure_ascii=False) + "\n"
    yield SERVED_FROM / "index.html", render(built)
