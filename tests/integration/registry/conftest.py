from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from local.docker_registry import docker_registry
from moto import mock_aws
from tests.fake_registry.flavours import FLAVOURS
from tests.fake_registry.server import FakeRegistry
from tests.integration.registry.clients import NO_PAUSES, Waiter
from tests.integration.registry.logins import Operator
from tests.trees import SMALL_TREE, lay

from packyard.oci.build.image import Image, build_image
from packyard.oci.build.layer import Layer, LayerSpool
from packyard.registry.credentials import EcrToken
from packyard.registry.own.distribution import DistributionRegistry
from packyard.registry.own.ecr import EcrRegistry
from packyard.registry.own.factory import ecr_registry

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient


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


@pytest.fixture
def layer() -> Iterator[Layer]:
    with LayerSpool() as spool:
        yield lay(spool, SMALL_TREE)


@pytest.fixture
def image(layer: Layer) -> Image:
    return build_image(layers=[layer], title="slack", version="1.4.0")


@pytest.fixture
def other(layer: Layer) -> Image:
    """Another image of the same layer."""
    return build_image(layers=[layer], title="slack", version="1.4.0", description="Reworded.")


@pytest.fixture
def waiter() -> Waiter:
    return Waiter()


@pytest.fixture
def registry(fake: FakeRegistry, waiter: Waiter) -> DistributionRegistry:
    """The client of the fake registry; `waiter` records its pauses."""
    return waiter.registry(fake.url)


@pytest.fixture
def operator() -> Operator:
    return Operator()


@pytest.fixture
def ecr() -> Iterator["ECRClient"]:
    """ECR's own API under moto."""
    with mock_aws():
        yield boto3.client(
            "ecr",
            region_name="eu-central-1",
            aws_access_key_id="id",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}),
        )


@pytest.fixture
def registry_on_ecr(ecr: "ECRClient", fake: FakeRegistry) -> EcrRegistry:
    """The client of ECR; the fake registry stands in for ECR's `/v2/`."""
    return ecr_registry(
        url=fake.url,
        ecr=ecr,
        credential=EcrToken(ecr=ecr, clock=lambda: datetime(2026, 3, 1, tzinfo=UTC)),
        timeouts=NO_PAUSES,
    )
