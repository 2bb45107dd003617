from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.command import Command, Gateway
from tests.service import Service, running_service


@pytest.fixture
def service() -> Iterator[Service]:
    with running_service() as running:
        yield running


@pytest.fixture
def packyard(service: Service, tmp_path: Path) -> Command:
    """The command, and a service that answers it by its real handlers."""
    return Command(home=tmp_path / "home", gateway=Gateway(service))
