"""A table's packs, any number of them: what a listing reads must not depend on how many there are.

The first hundred are the whole of a small table and the head of every larger one: each fifth is `FEW`'s own, the others
are the community's, evenly over its shards, so that luck has no part in what a page costs. After them it is in turn the
community's, `MANY`'s own, the community's again, and some other organisation's own.
"""

from collections.abc import Iterator
from itertools import count
from typing import Final

from tests.packs import a_pack, pack_id
from tests.service import ACME, GLOBEX

from packyard.packs.manifest.name import PackName
from packyard.packs.pack import Pack, Tier, Visibility
from packyard.store.keys import COMMUNITY_SHARDS, community_shard

FEW: Final = ACME.org_id
MANY: Final = GLOBEX.org_id
HEAD: Final = 100
# Of the community's packs, those that the filter for `Tier.VERIFIED` passes.
_VERIFIED_EACH: Final = 1000
_IDS_EACH: Final = 1000
_CAPABILITIES: Final = """\
- name: {name}-api
  allow:
    - domains: [api.example.com]
      methods: [GET, POST]
      paths: [/v1/messages/*, /v1/channels/*]
"""


def packs(number: int) -> Iterator[Pack]:
    """Yield so many packs, in the order of their names."""
    for at in range(number):
        yield _pack(at)


def _pack(at: int) -> Pack:
    org_id, visibility = _owner(at)
    name = f"pack-{at:07d}"
    return a_pack(
        _number(at),
        org_id=org_id,
        visibility=visibility,
        name=PackName(name),
        display_name=f"Pack {at}",
        tier=Tier.VERIFIED if at % _VERIFIED_EACH == HEAD else Tier.COMMUNITY,
        description="Posts messages, reads channels and keeps threads in order, with the guides that go with it.",
        category="communication",
        capabilities=_CAPABILITIES.format(name=name),
        image_ref=f"registry.example.com/packs/{org_id}/{name}:1.0.0",
    )


def _owner(at: int) -> tuple[str, Visibility]:
    if at < HEAD:
        return (FEW, Visibility.ORG) if at % 5 == 0 else (_other(at), Visibility.COMMUNITY)
    match at % 4:
        case 1:
            return MANY, Visibility.ORG
        case 3:
            return _other(at), Visibility.ORG
        case _:
            return _other(at), Visibility.COMMUNITY


def _other(at: int) -> str:
    return f"org_{at % 997:026d}"


def _number(at: int) -> int:
    """Return a number for the pack's id, such that packs that follow one another lie in shards that do."""
    return next(
        number
        for number in count(at * _IDS_EACH)
        if community_shard(pack_id(number)) == (at // 2 if at >= HEAD else at) % COMMUNITY_SHARDS
    )
