"""What we accept is one thing to everybody, and what is one thing to everybody we accept.

The first keeps out archives that hold other members for us than for whoever unpacks them. The second keeps in what
honest tools write, however odd its bytes; where we are stricter, `STRICTER` says so.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from tests.corpus.cases import CorpusCase, accept_cases, reject_cases
from tests.reliability import budget, tally
from tests.reliability.hostile_tars import hostile_archives
from tests.reliability.listing_readers import ListingReader, Tree, Unreadable, go_reader, node_reader
from tests.reliability.readers import READERS, accepted, read_by, tree_of_pack, unpacked_image

from packyard.errors import InvalidRequest
from packyard.oci.build.layer import LayerSpool
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.member_path import is_litter, parse_member_path
from packyard.packs.archive.top_level import top_level_fault

_HEALTH = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much)

# Parts of refusals of what these five readers take for the same, and why it is refused all the same.
STRICTER: Final[Mapping[str, str]] = {
    "data after the tar's end marker": "the contract says so; tar --ignore-zeros shows a second tar",
    "an empty pax header": "new versions of libarchive give up on it",
    "two say the same about one member": "they agree only where both say the same",
    "starts like a file of another kind": "libarchive guesses formats; the rule is wider than its guesses",
    "is labelled, or one volume": "GNU tar lists a label as a member, though it unpacks none",
    "a global pax header that says what members are": "they agree only where it says what is so anyway",
    "a link target on a member that is not a link": "in a header of its own; in the member's node-tar leaves it out",
    "looks like another record": "node-tar takes it for one only where the length fits too",
    "on which some readers give up": "in a global header, or one of litter, not all look at it",
    "that some readers cannot read": "Go gives up on a name with a zero byte, but not in a global header",
    "owner or a time that not every reader can hold": "the bound is that of the strictest reader, a power of two",
    "negative or too large": "a mode beyond 53 bits, which no tool writes",
    "content where readers disagree on whether there is any": "a directory has none for these five, others skip it",
    "with a malformed number": "a mode behind a zero byte is read in two ways, which shows only on files",
    "not padded with zeros": "some readers look on there for records, or for the end of a name",
    "a malformed GNU long name": "something behind its end, which no tool writes",
    "contradicts the size": "busybox goes by the header; they agree here because nothing follows",
    "a pax record with a malformed size": "more digits than any size has",
    "in place of a path's prefix": "they agree only where it changes no path, as a dot",
    "a GNU header with times": "the same",
    "a prefix and no name": "the same",
    "an xstar header": "the same",
    "a character set other than UTF-8": "they agree only on names in ASCII",
    "global pax headers": "a bound of ours",
    "pax header of more than": "a bound of ours",
    "a pax record over": "libarchive reads no longer one, but takes no notice of it in a global header",
    "an extension header over": "a bound of ours",
    "has more than": "a bound of ours",
    "unpacks to more than": "a bound of ours",
    "a header field is over": "a bound of ours",
    "take for a file and others for a directory": "Python's tarfile does until its mending of CVE-2025-13462",
}


def _assert_all_agree(archive: Path, *, unpack_image: bool) -> bool:
    """Check that readers agree on an archive; returns False for one that we refuse, on which they need not."""
    folder = archive.parent
    with LayerSpool() as spool:
        try:
            contents = accepted(archive, spool=spool)
        except InvalidRequest as refusal:
            tally.count("hostile archives refused")
            _assert_refused_for_a_reason(archive, refusal)
            return False
        ours = tree_of_pack(contents)
        for name, read in READERS.items():
            assert read_by(read, archive, folder) == ours, name
        if unpack_image:
            assert unpacked_image(contents, folder, spool=spool) == ours, "umoci, of our image"
    tally.count("archives that all readers agree on")
    return True


def _assert_refused_for_a_reason(archive: Path, refusal: InvalidRequest) -> None:
    """Check that an archive that is refused for its form is another one to some reader, or an exception."""
    if refusal.fields.keys() != {"archive"} or any(part in refusal.fields["archive"] for part in STRICTER):
        return
    assert not _is_a_pack_to_all(archive), refusal.fields["archive"]


def _is_a_pack_to_all(archive: Path) -> bool:
    """Tell whether all readers see the same, and it is what a pack may be."""
    try:
        if not all(_may_be_unpacked(archive, reader) for reader in (go_reader(), node_reader())):
            return False
        trees = [read_by(read, archive, archive.parent) for read in READERS.values()]
    except Unreadable:
        return False
    return all(tree == trees[0] for tree in trees) and _is_a_pack(trees[0])


def _may_be_unpacked(archive: Path, reader: ListingReader) -> bool:
    """Tell whether every name that a reader lists is a path of a pack, and none is litter."""
    for member in reader.members(archive):
        try:
            path = parse_member_path(
                member.name.encode(), directory=member.kind == "directory", limits=ArchiveLimits()
            )
        except ValueError:
            return False
        if is_litter(path):
            return False
    return True


def _is_a_pack(tree: Tree) -> bool:
    if "pack.yaml" not in tree:
        return "SKILL.md" in tree
    return not any(
        top_level_fault(path, directory=seen is None) for path, seen in tree.items() if "/" not in path
    )


@pytest.mark.parametrize("case", accept_cases(), ids=str)
def test_every_reader_unpacks_the_corpus_as_we_read_it(case: CorpusCase, tmp_path: Path) -> None:
    archive = tmp_path / "pack.tar.gz"
    archive.symlink_to(case.path)

    assert _assert_all_agree(archive, unpack_image=False)


@pytest.mark.parametrize("case", reject_cases(), ids=str)
def test_what_is_refused_for_its_form_is_not_one_thing_to_every_reader(
    case: CorpusCase, tmp_path: Path
) -> None:
    archive = tmp_path / "pack.tar.gz"
    archive.symlink_to(case.path)

    assert not _assert_all_agree(archive, unpack_image=False)


@settings(
    max_examples=budget.of(ci=150, soak=60_000),
    suppress_health_check=_HEALTH,
)
@given(hostile_archives())
def test_every_reader_unpacks_what_we_accept_as_we_read_it(tmp_path: Path, archive: bytes) -> None:
    path = tmp_path / "pack.tar.gz"
    path.write_bytes(archive)

    _assert_all_agree(path, unpack_image=False)


@settings(
    max_examples=budget.of(ci=40, soak=6_000),
    suppress_health_check=_HEALTH,
)
@given(hostile_archives())
def test_a_runtime_unpacks_our_image_as_readers_unpack_the_archive(tmp_path: Path, archive: bytes) -> None:
    path = tmp_path / "pack.tar.gz"
    path.write_bytes(archive)

    _assert_all_agree(path, unpack_image=True)
