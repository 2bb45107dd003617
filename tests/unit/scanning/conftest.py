import pytest

from packyard.scanning.compiled_rules import engine_from
from packyard.scanning.engine import Engine
from packyard.scanning.scanner import Scanner


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return engine_from(tmp_path_factory.mktemp("rules") / "compiled.bin")


@pytest.fixture(scope="session")
def scanner(engine: Engine) -> Scanner:
    return Scanner(engine=lambda: engine)
