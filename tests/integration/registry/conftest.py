from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from local.docker_registry import docker_registry
from tests.fake_registry.flavours import FLAVOURS
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
def registry_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The base URL of each registry in turn; what holds for one holds for the other."""
    with _running(request) as url:
        yield url


@pytest.fixture(params=[*FLAVOURS, "docker-registry"])
def every_registry_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """As `registry_url`, with the fake one as other people's registries answer."""
    with _running(request) as url:
        yield url


@contextmanager
def _running(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "docker-registry":
        yield request.getfixturevalue("docker_registry_url")
    else:
        with FakeRegistry(flavour=FLAVOURS[request.param]) as registry:
            yield registry.url


@pytest.fixture
def repository(tmp_path: Path) -> str:
    """A repository that no other test uses."""
    return f"packs/org_test/{tmp_path.name.lower().replace('_', '-').strip('-')}"
