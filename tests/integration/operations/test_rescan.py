"""The scheduled walk that scans images again: when the rules have changed, and when a scan did not end."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from tests.aws import TABLE
from tests.engine.refusals import Fault
from tests.engine.taps import Before, Crash, Failure, Killed, Log, PointName, Span
from tests.fake_registry.server import FakeRegistry
from tests.revisions import delete_revision, events_of, made, restore, reupload, statuses
from tests.scans import (
    ADVICE,
    ADVICE_RULE,
    SECRET_RULE,
    let_results_be_old,
    override,
    put,
    scan_of,
    walk,
    with_advice,
    with_secret,
)
from tests.service import ACME, GLOBEX, Service, running_service
from tests.third_party_images import image, layer

from packyard.oci.digest import Digest
from packyard.operations.rescan import Walked
from packyard_admin.rebuild import Rebuilder

INVOKE: Final = PointName("lambda.Invoke")
NOTHING: Final = {"scanned": 0, "withdrawn": 0, "more": False}


@pytest.fixture
def service() -> Iterator[Service]:
    with running_service(scans=True) as running:
        yield running


def digest_of(service: Service, pack: str) -> str:
    digest: str = service.get(pack).body["image_digest"]
    return digest


def unscanned(service: Service, archive: bytes, *, visibility: str = "org") -> str:
    """Publish while the scanner does not answer."""
    with service.wire.tapped(Failure(at=INVOKE, fault=Fault.UNREACHABLE, span=Span.SERVICE)):
        pack: str = service.upload(archive, visibility=visibility).body["id"]
    return pack


def test_what_was_scanned_with_the_present_rules_is_not_scanned_again(service: Service) -> None:
    made(service)

    assert walk(service) == NOTHING


def test_what_was_not_scanned_is_scanned_by_the_next_walk(service: Service) -> None:
    pack = unscanned(service, with_advice())

    assert walk(service) == {"scanned": 1, "withdrawn": 0, "more": False}
    scan = scan_of(service, pack)
    assert (scan["status"], [finding["rule"] for finding in scan["findings"]]) == ("findings", [ADVICE_RULE])
    (event,) = events_of(service, "scan.finished")
    assert (event["actor"], event["pack_id"]) == ("scanner", pack)
    assert event["data"]["findings"] == {"high": 1}
    assert walk(service) == NOTHING


def test_what_the_policy_refuses_is_withdrawn_by_the_scanner(service: Service) -> None:
    pack = unscanned(service, with_secret(), visibility="community")

    assert walk(service) == {"scanned": 1, "withdrawn": 1, "more": False}
    assert scan_of(service, pack)["status"] == "blocked"
    assert statuses(service, pack) == {1: "withdrawn"}
    (event,) = events_of(service, "revision.withdrawn")
    assert (event["actor"], event["data"]["reason"]) == (
        "scanner",
        f"The scanner found what the scan policy refuses: guides/start.md: {SECRET_RULE}",
    )
    assert [one["id"] for one in service.list_packs(GLOBEX).body["packs"]] == []


def test_an_override_keeps_the_scanner_from_withdrawing(service: Service) -> None:
    pack = unscanned(service, with_secret())
    assert override(service, pack).status == 201

    assert walk(service) == {"scanned": 1, "withdrawn": 0, "more": False}
    assert scan_of(service, pack)["status"] == "findings"


def test_new_rules_bring_every_image_of_a_pack_again_and_no_event_where_nothing_is_new(
    service: Service,
) -> None:
    pack = service.upload(with_advice()).body["id"]
    first = digest_of(service, pack)
    assert reupload(service, pack, "2.0.0").status == 200
    for digest in (first, digest_of(service, pack)):
        let_results_be_old(service, pack, digest)

    assert walk(service) == {"scanned": 2, "withdrawn": 0, "more": False}
    assert scan_of(service, pack, revision="1")["status"] == "findings"
    (event,) = events_of(service, "scan.finished")
    assert (event["data"]["image_digest"], event["data"]["current"]) == (first, False)


def test_what_the_owner_restores_stays_restored(service: Service) -> None:
    pack = unscanned(service, with_secret())
    walk(service)
    assert restore(service, pack, 1).status == 200

    assert walk(service) == NOTHING
    assert statuses(service, pack) == {1: "active"}


def test_a_scan_that_fails_again_waits_longer_each_time_and_then_for_new_rules(service: Service) -> None:
    unscanned(service, with_advice())
    tried = []
    with service.wire.tapped(Failure(at=INVOKE, fault=Fault.UNREACHABLE, span=Span.SERVICE)):
        for hours in (0, 0, 1, 6, 6, 24, 24, 240):
            service.clock.advance(timedelta(hours=hours))
            tried.append(walk(service)["scanned"])

    assert tried == [1, 0, 1, 1, 0, 1, 0, 0]


def test_an_image_that_cannot_be_read_is_tried_later(service: Service) -> None:
    pack = unscanned(service, with_advice())
    repository = service.registry.shelves.repositories[f"packs/{ACME.org_id}/slack"]
    repository.lose(max(repository.blobs, key=lambda digest: len(repository.blobs[digest])))

    assert walk(service)["scanned"] == 1
    assert scan_of(service, pack)["incomplete"] == "the image could not be read"


def test_a_walk_ends_when_its_time_is_over_and_the_next_goes_on(service: Service) -> None:
    for name in ("a", "b", "c"):
        unscanned(service, with_advice(name))
    left = iter([600.0, 300.0, 59.0])
    short = replace(service.services.rescanner, time_left=left.__next__)

    assert short.walk() == Walked(scanned=2, withdrawn=0, more=True)
    assert walk(service) == {"scanned": 1, "withdrawn": 0, "more": False}


def test_what_is_gone_is_not_scanned_and_its_result_goes(service: Service) -> None:
    pack, other = unscanned(service, with_advice()), unscanned(service, with_advice("other"))
    scans, left = service.services.scans, {}
    for each in (pack, other):
        left[each] = scans.get(each, Digest(digest_of(service, each)))
    assert reupload(service, pack, "2.0.0").status == 200
    assert delete_revision(service, pack, 1).status == 200
    assert service.delete(other).status == 200
    # The index may be behind.
    for stored in left.values():
        assert stored is not None
        put(service, stored)

    assert walk(service) == {"scanned": 2, "withdrawn": 0, "more": False}
    assert [scans.get(stored.pack_id, stored.digest) for stored in left.values() if stored] == [None, None]


def test_of_a_walk_and_a_publish_at_once_the_publish_counts(service: Service) -> None:
    pack = unscanned(service, with_advice())

    def publish_the_same_again() -> None:
        with service.wire.sent_by("another"):
            stored = service.services.scans.get(pack, Digest(digest_of(service, pack)))
            assert stored is not None
            put(service, replace(stored, version=stored.version + 1))

    moment = Before(at=PointName("dynamodb.TransactWriteItems"), what=publish_the_same_again)
    with service.wire.tapped(interrupt=moment):
        assert walk(service)["scanned"] == 0
    assert events_of(service, "scan.finished") == []
    assert walk(service)["scanned"] == 1


def test_a_walk_that_dies_at_any_point_withdraws_once_and_loses_nothing(service: Service) -> None:
    log = Log(only=lambda point: point.is_aws)
    first = unscanned(service, with_secret("first"))
    with service.wire.tapped(log):
        walk(service)
    assert statuses(service, first) == {1: "withdrawn"}

    # Dying after a request leaves what dying before the next one does.
    for number in range(len(log.passed)):
        pack = unscanned(service, with_secret(f"pack-{number}"))
        with (
            service.wire.tapped(Crash(only=lambda point: point.is_aws, at=number, after=True)),
            pytest.raises(Killed),
        ):
            walk(service)
        service.new_process()
        walk(service)
        assert scan_of(service, pack)["status"] == "blocked"
        assert statuses(service, pack) == {1: "withdrawn"}
        assert _told(service, pack) == ["revision.withdrawn", "scan.finished"], number


def _told(service: Service, pack: str) -> list[str]:
    kinds = ("revision.withdrawn", "scan.finished")
    return [kind for kind in kinds for event in events_of(service, kind) if event["pack_id"] == pack]


def test_a_clone_of_an_image_that_was_built_elsewhere_is_scanned_file_by_file(service: Service) -> None:
    with FakeRegistry() as elsewhere:
        shelf = elsewhere.shelves.repository("team/jira", create=True)
        made_elsewhere = image(layer(("pack.yaml", b"name: jira\nversion: 1.0.0\n"), ("guides/a.md", ADVICE)))
        made_elsewhere.shelve(shelf, "1.0.0")
        body = {"image_ref": f"127.0.0.1:{elsewhere.port}/team/jira:1.0.0"}
        pack = service.send("create_pack", "POST", "/packs", json=body).body["id"]
        clone = service.clone(pack, name="copy").body["id"]

    assert walk(service)["scanned"] == 1
    assert [finding["path"] for finding in scan_of(service, clone)["findings"]] == ["guides/a.md"]


def test_what_is_older_than_the_scanner_is_scanned_after_a_rebuild(service: Service) -> None:
    first = service.upload(with_advice()).body
    assert reupload(service, first["id"], "2.0.0").status == 200
    gone = service.upload(with_advice("gone")).body
    for pack in (first["id"], gone["id"]):
        for entry in (first, gone, service.get(first["id"]).body):
            service.services.scans.forget(pack, Digest(entry["image_digest"]))
    assert service.delete(gone["id"]).status == 200
    assert scan_of(service, first["id"])["status"] == "not_scanned"
    rebuilder = Rebuilder(
        table=service.services.table,
        table_name=TABLE,
        dynamodb=service.aws.dynamodb,
        prefix="packs",
        clock=service.clock,
    )

    assert [rebuilder.rebuild().scans for _ in range(2)] == [2, 0]
    assert walk(service) == {"scanned": 2, "withdrawn": 0, "more": False}
    assert scan_of(service, first["id"], revision="1")["findings"][0]["rule"] == ADVICE_RULE
    assert rebuilder.rebuild().scans == 0
