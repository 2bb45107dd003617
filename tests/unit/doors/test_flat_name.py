"""Names where a door has no owners: each is of one pack, and says which."""

import re
from itertools import product
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.doors.flat_name import NoFlatName, flat_name, pack_of
from packyard.packs.manifest.name import SLUG

OWN: Final = "acme"
# Names that look like long ones are as likely as others.
SLUGS: Final = st.from_regex(r"(x[0-9]{1,2}-)?[a-z0-9]{1,9}(-[a-z0-9]{1,9}){0,2}", fullmatch=True)
_FORM: Final = re.compile(r"[a-z0-9-]{1,64}")


@pytest.mark.parametrize(
    ("owner", "name", "flat"),
    [
        ("acme", "pdf-tools", "pdf-tools"),
        ("globex", "pdf-tools", "x6-globex-pdf-tools"),
        ("globex", "x6-acme-a", "x6-globex-x6-acme-a"),
        ("acme", "x6-globex-pdf-tools", "x4-acme-x6-globex-pdf-tools"),
        ("acme", "x7", "x7"),
        ("acme", "x-7", "x-7"),
    ],
)
def test_an_own_pack_has_its_name_and_another_one_its_owner_s_too(owner: str, name: str, flat: str) -> None:
    assert flat_name(owner, name, own=OWN) == flat
    assert pack_of(flat, own=OWN) == (owner, name)


@given(owner=st.one_of(st.just(OWN), SLUGS), name=SLUGS)
def test_the_pack_is_read_back_from_its_flat_name(owner: str, name: str) -> None:
    flat = flat_name(owner, name, own=OWN)

    assert pack_of(flat, own=OWN) == (owner, name)
    assert _FORM.fullmatch(flat)
    assert SLUG.fullmatch(flat)


def test_no_two_packs_have_one_flat_name() -> None:
    owners = [OWN, "x", "x1", "a", "a-b", "x1-a"]
    names = ["a", "b-c", "x1-a", "x1-x", "x1-a-b", "x3-a-b-c", "x4-acme-a", "a-b-c"]
    packs = list(product(owners, names))

    assert len({flat_name(*pack, own=OWN) for pack in packs}) == len(packs)


@pytest.mark.parametrize(
    "flat",
    ["", "A", "a--b", "x6-globex", "x07-globex-a", "x3-globex-a", "x4-acme-a", "x6-globex--a", "x0--a"],
)
def test_what_names_no_pack_is_no_pack(flat: str) -> None:
    assert pack_of(flat, own=OWN) is None


def test_a_name_that_would_be_too_long_is_refused_with_what_helps() -> None:
    with pytest.raises(NoFlatName, match="clone it under a shorter name"):
        flat_name("globex", "a" * 60, own=OWN)
    assert flat_name(OWN, "a" * 64, own=OWN) == "a" * 64


def test_an_owner_whose_item_is_gone_has_no_flat_name() -> None:
    with pytest.raises(NoFlatName):
        flat_name("org_01hzg0bex0000000000000000a", "a", own=OWN)
