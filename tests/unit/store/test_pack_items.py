from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.packs import ORG, a_pack, pack_id

from packyard.oci.digest import digest_of
from packyard.packs.pack import ImageOrigin, Pack, PackStatus, Tier, Visibility
from packyard.store.pack_items import from_item, to_item

INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda instant: instant.replace(microsecond=instant.microsecond // 1000 * 1000)
)
DIGESTS = st.binary().map(digest_of)
PACKS = st.builds(
    a_pack,
    number=st.integers(0, 10**20),
    tier=st.sampled_from(Tier),
    visibility=st.sampled_from(Visibility),
    image_origin=st.sampled_from(ImageOrigin),
    status=st.sampled_from(PackStatus),
    image_digest=DIGESTS,
    size_bytes=st.integers(0, 2**53),
    revision=st.integers(1, 10**9),
    created_at=INSTANTS,
    updated_at=INSTANTS,
    display_name=st.text(min_size=1),
    description=st.none() | st.text(min_size=1),
    category=st.none() | st.just("chat"),
    capabilities=st.none() | st.text(min_size=1),
    suggested_packs=st.lists(st.just("jira")).map(tuple),
    content_digest=st.none() | DIGESTS,
    chain_id=st.none() | DIGESTS,
    layer_digest=st.none() | DIGESTS,
)


def test_a_row_of_before_has_the_diff_id_of_its_layer_and_no_content_digest() -> None:
    diff_id = digest_of(b"tar")
    row = to_item(a_pack(1)) | {"content_digest": diff_id}
    row.pop("files_digest", None)

    pack = from_item(row)

    assert (pack.chain_id, pack.content_digest) == (diff_id, None)
    assert to_item(pack)["content_digest"] == diff_id


@given(PACKS)
def test_a_pack_is_read_back_as_it_was_written(pack: Pack) -> None:
    assert from_item(to_item(pack)) == pack


def test_attributes_of_a_later_version_are_passed_over() -> None:
    pack = a_pack()

    assert from_item({**to_item(pack), "own_refs": 3, "sharpness": "high"}) == pack


def test_what_a_pack_lacks_is_absent_from_its_row() -> None:
    item = to_item(a_pack(content_digest=None))

    assert None not in item.values()
    assert not {"description", "category", "capabilities", "suggested_packs", "content_digest"} & item.keys()


@pytest.mark.parametrize(
    ("visibility", "status", "indexes"),
    [
        pytest.param(
            Visibility.ORG, PackStatus.ACTIVE, {"GSI1PK": f"ORG#{ORG}#org"}, id="own_pack_in_its_orgs_index"
        ),
        pytest.param(
            Visibility.COMMUNITY,
            PackStatus.ACTIVE,
            {"GSI1PK": f"ORG#{ORG}#community", "GSI2PK": "COMMUNITY#2"},
            id="community_pack_in_both",
        ),
        pytest.param(
            Visibility.COMMUNITY,
            PackStatus.DELETING,
            {"GSI1PK": f"ORG#{ORG}#community", "GSI2PK": "COMMUNITY#2"},
            id="pack_being_deleted_in_both",
        ),
        pytest.param(Visibility.COMMUNITY, PackStatus.DELETED, {}, id="deleted_pack_in_none"),
    ],
)
def test_indexes_list_what_can_be_seen(
    visibility: Visibility, status: PackStatus, indexes: dict[str, str]
) -> None:
    item = to_item(a_pack(1, visibility=visibility, status=status))

    assert {name: value for name, value in item.items() if name in ("GSI1PK", "GSI2PK")} == indexes
    assert {value for name, value in item.items() if name in ("GSI1SK", "GSI2SK")} == (
        {f"PACK#pack-1#{pack_id(1)}"} if indexes else set()
    )
