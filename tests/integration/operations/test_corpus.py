"""Archives of the corpus through the upload's real handler: all that it accepts, and some of those that it refuses.

All refusals and their fields are checked where they are decided, in tests/unit/packs/archive/test_archive_corpus.py.
"""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.corpus.cases import CorpusCase, accept_cases, reject_cases
from tests.reliability import budget
from tests.service import ACME, Service, running_service

SLOWEST_SECONDS = 2


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running_service() as running:
        yield running


@pytest.mark.parametrize("case", budget.spread(reject_cases(), ci=100), ids=str)
def test_what_must_be_refused_is_400_on_its_field_and_leaves_nothing(
    service: Service, case: CorpusCase
) -> None:
    archive = case.path.read_bytes()
    started = time.process_time()

    answer = service.upload(archive)

    assert (answer.status, answer.error["code"]) == (400, "validation_error")
    assert case.field in answer.fields
    assert time.process_time() - started < SLOWEST_SECONDS
    assert service.registry.requests == []


def test_what_was_refused_leaves_neither_a_pack_nor_a_staged_archive(service: Service) -> None:
    service.upload(reject_cases()[0].path.read_bytes())

    while service.aws.staged():
        service.settle()

    assert service.list_packs().body == {"packs": []}


@pytest.mark.parametrize(("number", "case"), list(enumerate(accept_cases())), ids=str)
def test_what_must_be_accepted_becomes_a_pack(service: Service, number: int, case: CorpusCase) -> None:
    # An organisation each, since many of them bear the same name.
    caller = replace(ACME, org_id=f"org_{number:026d}")

    answer = service.upload(case.path.read_bytes(), caller)

    assert answer.status == 201, answer.body
