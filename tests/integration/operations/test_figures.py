"""What the service counts and measures of itself, at the places where it happens."""

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.fake_registry.moods import Refuses
from tests.service import PackArchive, Service
from tests.staged_uploads import arrive, deliver, start


class Figures:
    """The metrics that have been written since the last look."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def look(self, name: str) -> list[tuple[float, str]]:
        """Return the values of a metric, each with what its dimensions but the service say."""
        lines = [json.loads(line) for line in self._capsys.readouterr().out.splitlines() if '"_aws"' in line]
        found = []
        for line in lines:
            (directive,) = line["_aws"]["CloudWatchMetrics"]
            dimensions = [line[key] for key in directive["Dimensions"][0] if key != "service"]
            if name in line:
                found.append((line[name][0], " ".join(dimensions)))
        return found


@pytest.fixture
def figures(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Figures:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Packyard/test")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "packyard")
    return Figures(capsys)


def test_a_new_pack_is_a_revision_with_its_image_s_bytes(service: Service, figures: Figures) -> None:
    pack = service.upload(PackArchive().build()).body

    assert figures.look("ImageBytes") == [(pack["size_bytes"], "upload")]


def test_a_revision_of_the_same_image_has_no_bytes(service: Service, figures: Figures) -> None:
    pack_id = service.upload(PackArchive().build()).body["id"]
    figures.look("PackRevisions")

    service.update(pack_id, "community")

    assert figures.look("PackRevisions") == [(1, "update")]
    service.update(pack_id, "private")
    assert figures.look("ImageBytes") == []


def test_a_repeat_makes_no_revision(service: Service, figures: Figures) -> None:
    service.upload(PackArchive().build())
    figures.look("PackRevisions")

    service.upload(PackArchive().build())

    assert figures.look("PackRevisions") == []


def test_a_refusal_is_counted_under_its_code(service: Service, figures: Figures) -> None:
    service.get("pack_01HZ0000000000000000009999")

    assert figures.look("Refusals") == [(1, "pack_not_found")]


def test_a_build_is_timed(service: Service, figures: Figures) -> None:
    deliver(service, arrive(service, start(service).body["upload_id"], PackArchive().build()))

    ((seconds, _),) = figures.look("BuildSeconds")
    assert seconds >= 0


def test_a_staged_archive_that_is_refused_is_counted_under_its_code(
    service: Service, figures: Figures
) -> None:
    deliver(service, arrive(service, start(service).body["upload_id"], b"not an archive"))

    assert figures.look("Refusals") == [(1, "validation_error")]


class TestOverdueCleanups:
    def test_a_message_that_is_not_due_yet_is_not_overdue(self, service: Service, figures: Figures) -> None:
        service.upload(PackArchive().build())

        service.deliver()

        assert figures.look("OverdueCleanupSeconds") == []

    def test_a_message_that_fails_is_measured_from_when_it_was_due(
        self, service: Service, figures: Figures
    ) -> None:
        pack_id = service.upload(PackArchive().build()).body["id"]
        service.settle()
        service.registry.moods.append(Refuses(method="DELETE", status=500))
        assert service.delete(pack_id).status == 502
        figures.look("OverdueCleanupSeconds")
        service.clock.advance(timedelta(minutes=1, hours=3))

        assert service.deliver() == ["0"]

        assert figures.look("OverdueCleanupSeconds") == [(3 * 3600, "")]

    def test_a_message_that_cannot_be_read_is_due_from_when_it_was_sent(
        self, service: Service, figures: Figures
    ) -> None:
        sent = service.clock() - timedelta(hours=5)

        service.services.cleaner.measure("nonsense", sent_at=sent)

        assert figures.look("OverdueCleanupSeconds") == [(5 * 3600, "")]


class TestBacklog:
    def measure(self, service: Service) -> Any:
        return service.invoke("measure_backlog", {"detail-type": "Scheduled Event"})

    def test_nothing_to_delete_is_an_age_of_nothing(self, service: Service, figures: Figures) -> None:
        assert self.measure(service) == {"pending_deletions": 0}

        assert figures.look("OldestDeletionSeconds") == [(0, "")]

    def test_the_oldest_deletion_counts(self, service: Service, figures: Figures) -> None:
        packs = [
            service.upload(PackArchive(name=name).build()).body["id"] for name in ("first", "second", "third")
        ]
        service.registry.moods.append(Refuses(method="DELETE", status=500))
        # Not in the order of their ids.
        for pack_id in (packs[1], packs[2], packs[0]):
            assert service.delete(pack_id).status == 502
            service.clock.advance(timedelta(hours=1))
        # A repeat does not make it younger.
        assert service.delete(packs[1]).status == 502
        figures.look("OldestDeletionSeconds")

        assert self.measure(service) == {"pending_deletions": 3}
        assert figures.look("OldestDeletionSeconds") == [(3 * 3600, "")]

    def test_what_is_deleted_does_not_wait_any_more(self, service: Service, figures: Figures) -> None:
        pack_id = service.upload(PackArchive().build()).body["id"]
        assert service.delete(pack_id).status == 200

        assert self.measure(service) == {"pending_deletions": 0}
        assert figures.look("PendingDeletions") == [(0, "")]
