"""How many skills of a folder the service would take: `python -m bench.skills_in FOLDER`. It fetches nothing.

Each folder with a `SKILL.md` is archived by Python's tarfile, as a person would do it, and read by the service's own
reader of archives. Nothing is pushed. Every refusal is listed, and the warnings are counted by their field.
"""

import argparse
import io
import json
import sys
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from packyard.errors import InvalidRequest, PackyardError
from packyard.packs.archive.contents import PackContents
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.reader import read_archive
from packyard.packs.manifest.root_file import SKILL_PATH


@dataclass(slots=True)
class Tally:
    """What has become of the skills.

    Attributes:
        accepted: How many would be taken.
        refused: The faults by field, of each folder that would not.
        warned: How many would be taken with a warning.
        warnings: How often each field was warned of.
        stated_versions: How many state a version.
        files, content_bytes: Of all that would be taken.
        seconds: Of archiving and reading, all together.
    """

    accepted: int = 0
    refused: dict[str, dict[str, str]] = field(default_factory=dict)
    warned: int = 0
    warnings: Counter[str] = field(default_factory=Counter)
    stated_versions: int = 0
    files: int = 0
    content_bytes: int = 0
    seconds: float = 0.0

    def view(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "skills": self.accepted + len(self.refused),
            "accepted": self.accepted,
            "refused": self.refused,
            "warned": self.warned,
            "warnings": dict(self.warnings.most_common()),
            "stated_versions": self.stated_versions,
            "files": self.files,
            "content_bytes": self.content_bytes,
            "seconds": round(self.seconds, 2),
        }


class _Dropped:
    """A content store that keeps only sizes, and the small files that may be asked for."""

    def store(self, chunks: Iterable[bytes]) -> bytes:
        return b"".join(chunks)

    def fetch(self, stored: bytes) -> bytes:
        return stored


def skill_folders(root: Path) -> Iterator[Path]:
    """Yield every folder that holds a `SKILL.md`, in the order of their paths."""
    yield from sorted(path.parent for path in root.rglob(SKILL_PATH) if path.is_file())


def archive_of(folder: Path) -> bytes:
    """Return a folder as a `.tar.gz` in which it is the only folder."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as archive:
        archive.add(folder, arcname=folder.name)
    return out.getvalue()


def count(folders: Iterable[Path], *, root: Path) -> Tally:
    """Read each folder as an archive.

    Args:
        folders: The folders.
        root: What their paths are shown relative to.
    """
    tally = Tally()
    began = perf_counter()
    for folder in folders:
        try:
            contents: PackContents[bytes] = read_archive(
                io.BytesIO(archive_of(folder)), limits=ArchiveLimits(), contents=_Dropped()
            )
        except InvalidRequest as refusal:
            tally.refused[str(folder.relative_to(root))] = dict(refusal.fields)
        except PackyardError as refusal:
            tally.refused[str(folder.relative_to(root))] = {"": str(refusal)}
        else:
            _add(tally, contents)
    tally.seconds = perf_counter() - began
    return tally


def _add(tally: Tally, contents: PackContents[bytes]) -> None:
    manifest = contents.manifest
    tally.accepted += 1
    tally.warned += bool(manifest.warnings)
    tally.warnings.update(warning.partition(" ")[0] for warning in manifest.warnings)
    tally.stated_versions += manifest.version_is_stated
    tally.files += len(contents.files)
    tally.content_bytes += sum(file.size for file in contents.files)


def main() -> None:
    """Print the tally of a folder as JSON. The exit code is 1 if there is no skill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    root = parser.parse_args().folder
    tally = count(skill_folders(root), root=root)
    print(json.dumps(tally.view(), indent=1, ensure_ascii=False))
    sys.exit(not tally.accepted)


if __name__ == "__main__":
    main()
