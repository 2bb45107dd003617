from collections.abc import Iterator
from pathlib import Path

import pytest
from local.docker_registry import docker_registry
from tests.fake_registry.server import FakeRegistry


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture(scope="session")
def docker_registry_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("docker-registry")) as url:
        yield url


@pytest.fixture(params=["fake", "docker-registry"])
def registry_url(request: pytest.FixtureRequest) -> str:
    """The base URL of each registry in turn; what holds for one holds for the other."""
    if request.param == "fake":
        fake: FakeRegistry = request.getfixturevalue("fake")
        return fake.url
    url: str = request.getfixturevalue("docker_registry_url")
    return url


@pytest.fixture
def repository(tmp_path: Path) -> str:
    """A repository that no other test uses."""
    return f"packs/org_test/{tmp_path.name.lower().replace('_', '-').strip('-')}"
