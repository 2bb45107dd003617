"""What holds for all tests.

How they are spread over processes: a file stays together, and so do all that need the stack, which runs once. And how
Hypothesis searches: without a look at the clock, and, unless there are hours for it, the same examples each time, so
that a commit has one verdict.
"""

import gc
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from tests.reliability.budget import SOAK
from xdist.scheduler import LoadFileScheduling

# jsonschema makes 39 grammars of it when it is imported, for a format that no schema here has (`test_document`).
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

settings.register_profile(
    "packyard",
    deadline=None,
    derandomize=not SOAK,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("packyard")

_END_TO_END = "tests/e2e"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that in the end no process waits for another."""
    kinds = ("e2e", "reliability", "integration", "unit")
    items.sort(
        key=lambda item: next((n for n, kind in enumerate(kinds) if f"tests/{kind}/" in item.nodeid), -1)
    )


def pytest_collection_finish() -> None:
    """Keep what has been imported by now, and stays, out of the garbage collector's rounds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


class _Spread(LoadFileScheduling):  # type: ignore[misc]  # comes without types
    def _split_scope(self, nodeid: str) -> str:
        return _END_TO_END if nodeid.startswith(f"{_END_TO_END}/") else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Spread:
    """Tell xdist which tests go together; a hook of its own, called where there are several processes."""
    return _Spread(config, log)
