"""A folder that `check` takes is one whose archive the service takes, and the reverse."""

import io
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.errors import InvalidRequest
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.reader import read_archive
from packyard_cli.archive import write_archive
from packyard_cli.folder import LocalFile, check_manifest, read_folder

LIMITS = ArchiveLimits(unpacked_bytes=16 << 10, members=5, path_bytes=40, path_depth=4, manifest_bytes=60)
NAMES = st.sampled_from(
    [
        *(
            "guides/a.md",
            "guides/A.md",
            "data/b",
            "scripts/x.sh",
            "README.md",
            "LICENSE",
            "guides",
            "data/.wh.b",
        ),
        *(
            "readme.md",
            "docs/a.md",
            "bin",
            "pack.yml",
            ".env",
            "data/e\u0301",
            "data/\u00e9",
            "data/\\",
            "data/\t",
        ),
        *(
            "skills/a/SKILL.md",
            "data/1/2/3/4/5",
            f"data/{'x' * 60}",
            ".DS_Store",
            "guides/._a.md",
            "SKILL.md",
        ),
    ]
)
MANIFESTS = st.sampled_from(
    [
        b"name: slack\nversion: 1.4.0\n",
        b"name: Slack\nversion: 1.4.0\n",
        b"version: 1.4.0\n",
        b"name: slack\nversion: 1.4.0\nextra: 1\n",
        b"name: slack\nversion: 1.4.0\ndescription: " + b"x" * 60,
        b"name: [",
        None,
    ]
)


class _Nowhere:
    def store(self, chunks: Iterable[bytes]) -> int:
        return sum(map(len, chunks))

    def fetch(self, stored: int) -> bytes:
        return bytes(stored)


def _archive_of(folder: Path) -> io.BytesIO:
    out = io.BytesIO()
    places = sorted(place for place in folder.rglob("*") if place.is_file())
    files = [
        LocalFile(
            path=place.relative_to(folder).as_posix(),
            location=str(place),
            size=place.stat().st_size,
            executable=False,
        )
        for place in places
    ]
    write_archive(out, files)
    out.seek(0)
    return out


def _service_faults(folder: Path) -> set[str]:
    try:
        read_archive(_archive_of(folder), limits=LIMITS, contents=_Nowhere())
    except InvalidRequest as refusal:
        return set(refusal.fields)
    return set()


SKILLS = st.sampled_from(
    [b"---\nname: pdf-tools\ndescription: x\n---\n", b"---\nname: pdf-tools\n---\n", b"# x\n", None]
)


@given(manifest=MANIFESTS, skill=SKILLS, files=st.dictionaries(NAMES, st.integers(0, 9000), max_size=6))
def test_check_and_the_service_judge_alike(
    tmp_path_factory: pytest.TempPathFactory,
    manifest: bytes | None,
    skill: bytes | None,
    files: dict[str, int],
) -> None:
    folder = tmp_path_factory.mktemp("pack")
    contents = {name: bytes(size) for name, size in files.items()}
    if manifest is not None:
        contents["pack.yaml"] = manifest
    if skill is not None:
        contents["SKILL.md"] = skill
    for name, content in contents.items():
        place = folder / name
        if not any(parent.is_file() for parent in place.parents) and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)

    found = read_folder(folder, limits=LIMITS)
    check_manifest(found, limits=LIMITS)

    ours = {fault.field for fault in found.faults}
    assert bool(ours) == bool(_service_faults(folder)), (ours, _service_faults(folder))
