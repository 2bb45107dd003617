"""The committed corpus: every archive with its expected result."""

import json
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent
ACCEPT_FOLDER = _FOLDER / "accept"
REJECT_FOLDER = _FOLDER / "reject"
EXPECTED_FILE = _FOLDER / "expected.json"


@dataclass(frozen=True, slots=True)
class CorpusCase:
    """One archive; `field` is what its refusal must name, None when the archive is a pack."""

    name: str
    path: Path
    field: str | None

    def __str__(self) -> str:
        return self.name


def accept_cases() -> list[CorpusCase]:
    return [CorpusCase(_name(path), path, None) for path in sorted(ACCEPT_FOLDER.glob("*.tar.gz"))]


def reject_cases() -> list[CorpusCase]:
    fields: dict[str, str] = json.loads(EXPECTED_FILE.read_text(encoding="utf-8"))
    return [
        CorpusCase(_name(path), path, fields[_name(path)]) for path in sorted(REJECT_FOLDER.glob("*.tar.gz"))
    ]


def _name(path: Path) -> str:
    return path.name.removesuffix(".tar.gz")
