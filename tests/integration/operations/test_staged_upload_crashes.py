"""What is left when `build_upload` is killed between any two of its external calls and not retried."""

from datetime import timedelta

import pytest
from tests.engine.taps import Killed, Log, crash_at, moments
from tests.service import ACME, DEADLINE, PackArchive, Service, running_service
from tests.staged_uploads import arrive, deliver, look, start

ARCHIVE = PackArchive().build()
SECOND = PackArchive(version="2.0.0", files={"README.md": b"second"}).build()
LEASE_OVER = DEADLINE + timedelta(seconds=1)
EVERY_DEADLINE = timedelta(hours=2)


def begun(service: Service, *, replacing: bool) -> tuple[str, str]:
    """Return an upload whose archive has arrived, and the message that says so."""
    fields = {}
    if replacing:
        fields["pack_id"] = service.upload(ARCHIVE).body["id"]
        service.settle()
    upload_id: str = start(service, **fields).body["upload_id"]
    return upload_id, arrive(service, upload_id, SECOND)


def points_of_a_build(*, replacing: bool) -> Log:
    with running_service() as service:
        upload_id, message = begun(service, replacing=replacing)
        log = Log()
        with service.wire.tapped(log):
            assert deliver(service, message) == []
        assert look(service, upload_id).body["status"] == "done"
    return log


CREATE = points_of_a_build(replacing=False)
REPLACE = points_of_a_build(replacing=True)
BUILDS = [
    pytest.param(replacing, *moment.values, id=f"{'replace' if replacing else 'create'} {moment.id}")
    for replacing, log in ((False, CREATE), (True, REPLACE))
    for moment in moments(log.passed)
]


def settle_everything(service: Service) -> None:
    for _ in range(3):
        service.clock.advance(EVERY_DEADLINE)
        assert service.deliver() == []


def assert_images_are_those_of_the_history(service: Service, *, versions: set[str]) -> None:
    """Nothing is staged, queued or in the registry that no revision has, and each version has its tag."""
    repository = service.registry.shelves.repository(f"packs/{ACME.org_id}/slack", create=True)
    indexes = {digest for digest, manifest in repository.manifests.items() if b'"manifests"' in manifest.raw}
    assert repository.tags.keys() == versions
    assert indexes == set(repository.tags.values())
    assert service.aws.staged() == []
    assert service.aws.queued() == []


def test_a_build_takes_these_steps_in_this_order() -> None:
    # The lease, a place among the organisation's builds, and its version policy.
    first = ["dynamodb.UpdateItem", "dynamodb.UpdateItem", "dynamodb.GetItem", "s3.GetObject"]
    # The claim, the retry, the push, the commit and the tag, and the place is given back.
    last = [
        "dynamodb.UpdateItem",
        "s3.PutObject",
        "sqs.SendMessage",
        "registry",
        "dynamodb.TransactWriteItems",
        "registry",
        "dynamodb.UpdateItem",
    ]
    assert CREATE.calls == [*first, *last]
    assert REPLACE.calls == [*first, "dynamodb.GetItem", *last]


@pytest.mark.parametrize("log", [CREATE, REPLACE], ids=["create", "replace"])
def test_the_tag_is_set_once_and_after_the_row(log: Log) -> None:
    tags = [number for number, name in enumerate(log.passed) if name.label.endswith("/manifests/2.0.0")]

    assert len(tags) == 1
    assert tags[0] > log.first("dynamodb.TransactWriteItems")


@pytest.mark.parametrize(("replacing", "moment"), BUILDS)
def test_a_build_killed_at_any_moment_and_never_retried_is_done_or_has_changed_nothing(
    replacing: bool, moment: int
) -> None:
    with running_service() as service:
        upload_id, message = begun(service, replacing=replacing)
        before = service.list_packs().body["packs"]
        crash = crash_at(moment, len((REPLACE if replacing else CREATE).passed))
        with pytest.raises(Killed), service.wire.tapped(crash):
            deliver(service, message)
        service.new_process()

        settle_everything(service)

        ended = look(service, upload_id).body
        versions = {pack["version"] for pack in before}
        if ended["status"] == "done":
            assert service.get(ended["pack_id"]).body["version"] == "2.0.0"
            versions.add("2.0.0")
        else:
            assert ended["status"] in ("failed", "expired")
            assert ended["status"] == "expired" or ended["error"]["code"] == "timeout"
            assert service.list_packs().body["packs"] == before
        assert_images_are_those_of_the_history(service, versions=versions)


def test_a_builder_that_has_lost_its_lease_writes_nothing() -> None:
    """It stood still for longer than its lease, another one has finished, and then it goes on."""
    with running_service() as service:
        upload_id, message = begun(service, replacing=True)
        pack_id = look(service, upload_id).body["pack_id"]
        store = service.services.packs

        class StandsStill:
            def __getattr__(self, name: str) -> object:
                return getattr(store, name)

            def change(self, *args: object, **kwargs: object) -> None:
                service.new_process()
                service.clock.advance(LEASE_OVER)
                assert deliver(service, message) == []
                store.change(*args, **kwargs)  # type: ignore[arg-type]

        service.new_process(parts={"packs": StandsStill()})

        assert look(service, upload_id).body["status"] == "awaiting_archive"
        deliver(service, message)

        assert look(service, upload_id).body["status"] == "done"
        assert service.get(pack_id).headers["ETag"] == '"2"'
