"""How tests are spread over processes: a file stays together, and so do all that need the stack."""

from pathlib import Path

import pytest

_END_TO_END = Path(__file__).parent / "e2e"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Name a test's group for `--dist loadgroup`: what a file sets up is set up once, and the local stack runs once."""
    group = "stack" if _END_TO_END in item.path.parents else str(item.path)
    item.add_marker(pytest.mark.xdist_group(group))
