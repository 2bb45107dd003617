from collections.abc import Iterator

import pytest
from tests.aws import Aws, aws_in_memory


@pytest.fixture
def aws() -> Iterator[Aws]:
    with aws_in_memory() as services:
        yield services
