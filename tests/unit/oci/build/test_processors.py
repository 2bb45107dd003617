import os

import pytest

from packyard.oci.build.processors import usable_processors


@pytest.mark.parametrize(
    ("available", "used"), [(1, 2), (2, 2), (3, 3), (6, 6), (7, 6), (64, 6)], ids=lambda count: f"{count}"
)
def test_a_build_uses_the_processors_that_its_process_may_run_on(
    available: int, used: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(available)))

    assert usable_processors() == used


def test_where_no_affinity_is_known_the_processors_of_the_machine_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 4)

    assert usable_processors() == 4
