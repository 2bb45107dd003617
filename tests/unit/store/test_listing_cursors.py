import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.errors import InvalidRequest
from packyard.packs.pack import Tier
from packyard.store.cursor import Position, decode_cursor, encode_cursor
from packyard.store.keys import listing_key
from packyard.store.listing import Filters

KEY = "secret"
POSITION = Position("PACK#slack#pack_00000000000000000000000001")
BINDING = Filters(category="chat").binding("org_a")


def test_a_cursor_leads_back_to_its_position() -> None:
    cursor = encode_cursor(POSITION, key=KEY, binding=BINDING)

    assert decode_cursor(cursor, keys=[KEY], binding=BINDING) == POSITION


def test_the_longest_position_fits() -> None:
    position = Position(listing_key("a" * 64, "pack_" + "Z" * 26))

    cursor = encode_cursor(position, key=KEY, binding=BINDING)

    assert len(cursor) <= 256
    assert decode_cursor(cursor, keys=[KEY], binding=BINDING) == position


@pytest.mark.parametrize(
    "binding",
    [
        pytest.param(Filters(category="chat").binding("org_b"), id="another_org"),
        pytest.param(Filters().binding("org_a"), id="without_the_filter"),
        pytest.param(Filters(category="mail").binding("org_a"), id="another_category"),
        pytest.param(Filters(category="chat", tier=Tier.VERIFIED).binding("org_a"), id="with_a_tier"),
        pytest.param(Filters(category="chat", owned=False).binding("org_a"), id="with_owned"),
        pytest.param(Filters(category="chat", name_prefix="s").binding("org_a"), id="with_a_prefix"),
    ],
)
def test_a_cursor_is_valid_for_its_own_listing_only(binding: dict[str, str | bool | None]) -> None:
    cursor = encode_cursor(POSITION, key=KEY, binding=BINDING)

    with pytest.raises(InvalidRequest) as refused:
        decode_cursor(cursor, keys=[KEY], binding=binding)

    assert list(refused.value.fields) == ["cursor"]


def test_a_cursor_of_another_deployment_is_refused() -> None:
    cursor = encode_cursor(POSITION, key="another secret", binding=BINDING)

    with pytest.raises(InvalidRequest):
        decode_cursor(cursor, keys=[KEY], binding=BINDING)


@given(st.data())
def test_a_cursor_with_any_character_changed_is_refused(data: st.DataObject) -> None:
    cursor = encode_cursor(POSITION, key=KEY, binding=BINDING)
    # The last character carries bits that mean nothing, so some changes of it do not count.
    place = data.draw(st.integers(0, len(cursor) - 2))
    other = data.draw(st.characters(codec="ascii").filter(lambda character: character != cursor[place]))

    with pytest.raises(InvalidRequest):
        decode_cursor(cursor[:place] + other + cursor[place + 1 :], keys=[KEY], binding=BINDING)


@given(st.text(max_size=300) | st.text(alphabet="Aa0-_", max_size=300))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        decode_cursor(text, keys=[KEY], binding=BINDING)
