"""Packs that are over a limit because the operator has lowered it since they were built."""

from dataclasses import replace
from typing import Any

import pytest
from tests.aws import BUCKET
from tests.changes import change
from tests.service import PackArchive, running_service
from tests.small_layers import shrink_layers

from packyard.packs.archive.limits import ArchiveLimits

FILES = {f"guides/{number}.md": b"%d" % number * 600 for number in range(60)}
LIMITS: list[dict[str, Any]] = [
    {"members": 20},
    {"unpacked_bytes": 40_000},
    {"path_bytes": 6},
    {"compressed_bytes": 600},
]


@pytest.mark.parametrize("lowered", LIMITS, ids=str)
def test_a_pack_over_a_limit_can_be_made_smaller_but_does_not_grow(
    lowered: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink_layers(monkeypatch)
    with running_service() as service:
        pack_id = service.upload(PackArchive(files=FILES).build()).body["id"]
        # So the image has to be read, and is not refused for its size either.
        (index,) = (key for key in service.aws.objects() if key.startswith("indexes/"))
        service.aws.s3.delete_object(Bucket=BUCKET, Key=index)
        service.new_process(
            settings=replace(service.services.settings, archive_limits=ArchiveLimits(**lowered))
        )

        one_less = change(service, pack_id, delete=sorted(FILES)[:1])
        one_more = change(service, pack_id, {"data/m": b"m"})
        small = change(service, pack_id, delete=sorted(FILES)[1:56])

        over = "members" in lowered or "unpacked_bytes" in lowered
        assert one_less.status == 200, one_less.body
        assert one_more.status == (400 if over else 200), one_more.body
        assert small.status == 200, small.body
