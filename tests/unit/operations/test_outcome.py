"""What a dry run tells of large packs: every count, and lists that fit into an item of the table."""

import json
from datetime import UTC, datetime

import pytest

from packyard.oci.digest import Digest
from packyard.oci.read.file_index import FileIndex, IndexedFile
from packyard.operations.outcome import Outcome
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.manifest.name import Slug
from packyard.packs.manifest.version import Version
from packyard.packs.pack import ImageOrigin, Pack, Tier, Visibility

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DIGEST = Digest(f"sha256:{'0' * 64}")
PACK = Pack(
    id="pack_01HZ0000000000000000000001",
    org_id="org_01hzacme0000000000000000aa",
    name=Slug("slack"),
    display_name="Slack",
    description=None,
    category=None,
    version=Version("1.0.0"),
    tier=Tier.COMMUNITY,
    visibility=Visibility.ORG,
    capabilities=None,
    suggested_packs=(),
    image_origin=ImageOrigin.UPLOAD,
    image_ref="registry.test/packs/org/slack:1.0.0",
    image_digest=DIGEST,
    content_digest=None,
    chain_id=None,
    layer_digest=None,
    size_bytes=1,
    created_at=NOW,
    updated_at=NOW,
    revision=1,
)
# As many and as long as an archive may have.
PATHS = [f"data/{number:05}/{'x' * 990}" for number in range(20_000)]
MANIFEST = IndexedFile("pack.yaml", 20, 0o644, "1" * 64, 0)


def index(sha256: str, mode: int = 0o644) -> FileIndex:
    return FileIndex((), (*(IndexedFile(path, 1, mode, sha256, 0) for path in PATHS), MANIFEST))


NOTHING = FileIndex((), (MANIFEST,))


@pytest.mark.parametrize(
    ("standing", "new", "counts"),
    [
        pytest.param(NOTHING, index("2" * 64), (20_000, 0, 0), id="all come"),
        pytest.param(index("2" * 64), NOTHING, (0, 20_000, 0), id="all go"),
        pytest.param(index("2" * 64), index("3" * 64), (0, 0, 20_000), id="all change"),
        pytest.param(index("2" * 64), index("2" * 64, 0o755), (0, 0, 20_000), id="all get another mode"),
        pytest.param(index("2" * 64), index("2" * 64), (0, 0, 0), id="none changes"),
    ],
)
def test_lists_of_files_end_and_counts_count_all(
    standing: FileIndex, new: FileIndex, counts: tuple[int, int, int]
) -> None:
    outcome = Outcome(
        pack=PACK,
        before=PACK,
        changed=True,
        index=new,
        standing=standing,
        archive_bytes=1,
        limits=ArchiveLimits(),
    )

    files = outcome.document()["files"]

    assert tuple(files["counts"].values()) == counts
    listed = [len(files[name]) for name in ("added", "removed", "changed")]
    assert all((count > 0) == (shown > 0) for count, shown in zip(counts, listed, strict=True))
    assert len(json.dumps(files)) < 60_000
