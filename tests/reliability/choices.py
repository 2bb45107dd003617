"""What the machine chooses from: few of each kind, so that they meet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml
from hypothesis import strategies as st
from tests.reliability.clients import ORGS, READER
from tests.reliability.model_packs import Archive
from tests.reliability.stage import Fate

NAMES: Final = ("alpha", "beta", "gamma")
VERSIONS: Final = ("1.0.0", "1.1.0", "2.0.0")
PATHS: Final = ("guides/a.md", "README.md", "data/deep/b.txt")
ROLES: Final = ("support", "sales")
BAD_PATHS: Final = ("etc/passwd", "guides/../x", "notes.md", "guides")
UNKNOWN: Final = "pack_01HZZZZZZZZZZZZZZZZZZZZZZZ"

Key = tuple[str, int]

# Mostly who may write; now and then the second of their keys, or the one that only reads.
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
    """Archives: of few names, versions and contents, so that they meet; some are none."""
    fault = draw(st.sampled_from((None,) * 12 + ("archive", "pack.yaml:version")))
    version = "one" if fault == "pack.yaml:version" else draw(st.sampled_from(VERSIONS))
    files = {"pack.yaml": manifest(draw(st.sampled_from(NAMES)), version, draw(st.integers(0, 2)))}
    files |= {path: b"%d" % draw(st.integers(0, 1)) for path in PATHS[: draw(st.integers(0, 3))]}
    return Archive(tuple(sorted(files.items())), fault)


@dataclass(frozen=True)
class Move:
    """One of the requests by which packs are shared, held and deleted."""

    key: Key
    what: str
    pick: int
    chosen: Sequence[int]
    visibility: str
    if_match: str | None
    fate: Fate | None


moves = st.builds(
    Move,
    key=writers,
    what=st.sampled_from(("attach", "attach", "attach", "share", "share", "delete")),
    pick=picks,
    chosen=st.lists(picks, max_size=3),
    visibility=visibilities,
    # `new` is for a role that must not be there; a pack that is asked for so is as one at another revision.
    if_match=st.one_of(if_matches, st.just("new")),
    fate=fates,
)
