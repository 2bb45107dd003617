from pathlib import Path

import pytest
from tests.command import Command, Gateway


@pytest.fixture
def packyard(tmp_path: Path) -> Command:
    """The command on a machine without a network."""
    return Command(home=tmp_path / "home", gateway=Gateway(None))
