"""What the machine chooses from: few of each kind, so that requests often concern the same things."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml
from hypothesis import strategies as st
from tests.reliability.model.clients import ORGS, READER, Key
from tests.reliability.model.packs import Archive

NAMES: Final = ("alpha", "beta", "gamma")
VERSIONS: Final = ("1.0.0", "1.1.0", "2.0.0")
PATHS: Final = ("guides/a.md", "README.md", "data/deep/b.txt")
ROLES: Final = ("support", "sales")
BAD_PATHS: Final = ("etc/passwd", "guides/../x", "notes.md", "guides")
UNKNOWN: Final = "pack_01HZZZZZZZZZZZZZZZZZZZZZZZ"


@dataclass(frozen=True)
class Fate:
    """What happens to a request: its function dies before one of its requests, or AWS refuses one of its calls.

    Attributes:
        kind: `dies` or `outage`.
        moment: The number of that request or call, from 0.
    """

    kind: str
    moment: int


@dataclass(frozen=True)
class Ask:
    """What every request has: who asks, for which pack, on what condition, and what happens to it."""

    key: Key
    pick: int
    if_match: str | None
    once: str | None
    fate: Fate | None


# Mostly a key that writes; now and then the second of an organisation's, or the one that only reads.
writers = st.tuples(st.sampled_from(ORGS), st.sampled_from((0,) * 10 + (1, 1, READER)))
readers = st.tuples(st.sampled_from(ORGS), st.sampled_from((READER, READER, 0, 1)))
visibilities = st.sampled_from(("org", "community") * 6 + ("public",))
picks = st.integers(0, 9)
if_matches = st.sampled_from((None, None, None, "right", "stale", "*"))
onces = st.sampled_from((None, None, None, None, "k1", "k2"))
fates = st.one_of(
    st.none(),
    st.none(),
    st.builds(Fate, st.just("dies"), st.integers(0, 26)),
    st.none(),
    st.builds(Fate, st.just("outage"), st.integers(0, 12)),
)
asks = st.builds(Ask, writers, picks, if_matches, onces, fates)


def manifest(name: str, version: str, variant: int) -> bytes:
    """Return a pack.yaml; variants state more."""
    more: list[dict[str, Any]] = [
        {},
        {"category": "messaging", "description": "Talks."},
        {"display_name": "The pack", "suggested_packs": ["jira", "github"], "category": "crm"},
    ]
    return yaml.safe_dump({"name": name, "version": version, **more[variant]}, sort_keys=False).encode()


@st.composite
def archives(draw: st.DrawFn) -> Archive:
    """Draw an archive of few names, versions and contents; now and then one that is refused."""
    fault = draw(st.sampled_from((None,) * 12 + ("archive", "pack.yaml:version")))
    version = "one" if fault == "pack.yaml:version" else draw(st.sampled_from(VERSIONS))
    files = {"pack.yaml": manifest(draw(st.sampled_from(NAMES)), version, draw(st.integers(0, 2)))}
    files |= {path: b"%d" % draw(st.integers(0, 1)) for path in PATHS[: draw(st.integers(0, 3))]}
    return Archive(tuple(sorted(files.items())), fault)


@dataclass(frozen=True)
class Move:
    """One of the requests by which packs are shared, attached to roles and deleted."""

    ask: Ask
    what: str
    chosen: Sequence[int]
    visibility: str
    must_be_new: bool


moves = st.builds(
    Move,
    ask=asks,
    what=st.sampled_from(("attach", "attach", "attach", "share", "share", "delete")),
    chosen=st.lists(picks, max_size=3),
    visibility=visibilities,
    must_be_new=st.sampled_from((False, False, False, False, False, False, True)),
)
