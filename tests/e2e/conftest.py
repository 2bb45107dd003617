"""One local stack for all end-to-end tests: the same template, through the same code, as `make run`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from local.aws import CREDENTIALS
from local.environments import prepare
from local.function import free_port
from local.stack import StackDescription, running_stack
from tests.e2e.client import Client
from tests.e2e.operate import Operate, operating


@pytest.fixture(scope="session")
def stack_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the stack's state."""
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="session")
def stack(stack_folder: Path) -> Iterator[StackDescription]:
    prepare()
    with running_stack(folder=stack_folder, port=free_port()) as description:
        yield description


@pytest.fixture(scope="session")
def acme(stack: StackDescription) -> Client:
    return Client.of(stack, "acme")


@pytest.fixture(scope="session")
def globex(stack: StackDescription) -> Client:
    return Client.of(stack, "globex")


@pytest.fixture
def operate(stack: StackDescription, monkeypatch: pytest.MonkeyPatch) -> Operate:
    """Runs a command of the operator, and returns the document that it prints."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return operating(stack)
