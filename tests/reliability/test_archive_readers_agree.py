"""What we accept is one thing to everybody: no archive holds other members for us than for whoever unpacks it."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from tests.corpus.cases import CorpusCase, accept_cases
from tests.reliability import budget, tally
from tests.reliability.hostile_tars import hostile_archives
from tests.reliability.readers import READERS, accepted, tree_of_pack, unpacked_by, unpacked_image

from packyard.errors import InvalidRequest
from packyard.oci.layer import LayerSpool

_HEALTH = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much)


def _assert_all_agree(archive: Path, *, unpack_image: bool) -> bool:
    """Check that readers agree on an archive; returns False for one that we refuse, on which they need not."""
    folder = archive.parent
    with LayerSpool() as spool:
        try:
            contents = accepted(archive, spool=spool)
        except InvalidRequest:
            tally.count("hostile archives refused")
            return False
        ours = tree_of_pack(contents)
        for name, unpack in READERS.items():
            theirs = unpacked_by(unpack, archive, folder)
            assert theirs == ours, name
        if unpack_image:
            assert unpacked_image(contents, folder, spool=spool) == ours, "umoci, of our image"
    tally.count("archives that all readers agree on")
    return True


@pytest.mark.parametrize("case", accept_cases(), ids=str)
def test_every_reader_unpacks_the_corpus_as_we_read_it(case: CorpusCase, tmp_path: Path) -> None:
    archive = tmp_path / "pack.tar.gz"
    archive.symlink_to(case.path)

    assert _assert_all_agree(archive, unpack_image=False)


@settings(
    max_examples=budget.of(ci=2000, soak=60_000),
    suppress_health_check=_HEALTH,
)
@given(hostile_archives())
def test_every_reader_unpacks_what_we_accept_as_we_read_it(tmp_path: Path, archive: bytes) -> None:
    path = tmp_path / "pack.tar.gz"
    path.write_bytes(archive)

    _assert_all_agree(path, unpack_image=False)


@settings(
    max_examples=budget.of(ci=400, soak=6_000),
    suppress_health_check=_HEALTH,
)
@given(hostile_archives())
def test_a_runtime_unpacks_our_image_as_readers_unpack_the_archive(tmp_path: Path, archive: bytes) -> None:
    path = tmp_path / "pack.tar.gz"
    path.write_bytes(archive)

    _assert_all_agree(path, unpack_image=True)
