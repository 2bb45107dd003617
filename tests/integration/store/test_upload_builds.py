"""Who builds a staged upload, when several could."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.aws import Aws
from tests.packs import NOW, ORG, a_pack

from packyard.errors import RegistryUnavailable
from packyard.packs.pack import Visibility
from packyard.packs.upload import Upload, UploadStatus
from packyard.store.packs import PackStore
from packyard.store.repositories import RepositoryStore
from packyard.store.table import TransactionFailed
from packyard.store.uploads import Build, BuildUnderWay, NothingToBuild, OutOfTime, UploadStore

LEASE = timedelta(minutes=16)
BUILD_TIME = 4 * LEASE
MOMENT = timedelta(milliseconds=1)
UPLOAD = Upload(
    id="upl_01HZZZZZZZZZZZZZZZZZZZZZZZ",
    org_id=ORG,
    principal="key:1",
    visibility=Visibility.ORG,
    pack_id=None,
    status=UploadStatus.AWAITING_ARCHIVE,
    form_expires_at=NOW + timedelta(minutes=15),
    arrival_deadline=NOW + timedelta(minutes=45),
    forgotten_at=NOW + timedelta(days=7),
)
FAILURE = RegistryUnavailable("The registry did not answer.")


@pytest.fixture
def uploads(aws: Aws) -> UploadStore:
    store = UploadStore(table=aws.table)
    store.create(UPLOAD)
    return store


def claim(uploads: UploadStore, lease: str, *, now: datetime = NOW) -> Build:
    return uploads.claim_build(UPLOAD.id, lease=lease, now=now, until=now + LEASE, deadline=now + BUILD_TIME)


def status(uploads: UploadStore) -> UploadStatus:
    upload = uploads.get(UPLOAD.id)
    assert upload is not None
    return upload.status


def test_what_is_written_reads_back(uploads: UploadStore) -> None:
    assert uploads.get(UPLOAD.id) == UPLOAD
    assert uploads.get("upl_01HZZZZZZZZZZZZZZZZZZZZZZ0") is None


@pytest.mark.usefixtures("uploads")
def test_the_table_s_ttl_forgets_an_upload(aws: Aws) -> None:
    item = aws.table.get({"PK": f"UPLOAD#{UPLOAD.id}", "SK": "UPLOAD"}) or {}

    assert item["expires_at"] == int(UPLOAD.forgotten_at.timestamp())


def test_one_of_two_deliveries_builds(uploads: UploadStore) -> None:
    claim(uploads, "first")

    with pytest.raises(BuildUnderWay) as under_way:
        claim(uploads, "second")

    assert under_way.value.until == NOW + LEASE


def test_a_claim_whose_answer_was_lost_passes_when_it_is_repeated(uploads: UploadStore) -> None:
    assert claim(uploads, "first") == claim(uploads, "first")


def test_a_lease_that_has_run_out_is_taken_over_and_the_deadline_stays(uploads: UploadStore) -> None:
    claim(uploads, "first")

    taken_over = claim(uploads, "second", now=NOW + LEASE)

    assert taken_over.upload.build_deadline == NOW + BUILD_TIME


def test_a_build_that_gives_up_lets_the_next_begin_at_once(uploads: UploadStore) -> None:
    uploads.release(claim(uploads, "first"), FAILURE, now=NOW)

    again = claim(uploads, "second").upload

    assert again.error == FAILURE.inner(UPLOAD.id)


@pytest.mark.parametrize(
    ("late", "possible"), [(timedelta(0), True), (MOMENT, False)], ids=["just in time", "too late"]
)
def test_the_last_attempt_must_fit_before_the_deadline(
    uploads: UploadStore, late: timedelta, possible: bool
) -> None:
    uploads.release(claim(uploads, "first"), FAILURE, now=NOW)
    last_start = NOW + BUILD_TIME - LEASE + late

    if possible:
        claim(uploads, "last", now=last_start)
    else:
        with pytest.raises(OutOfTime):
            claim(uploads, "last", now=last_start)


@pytest.mark.parametrize(
    ("late", "possible"), [(timedelta(0), True), (MOMENT, False)], ids=["just in time", "too late"]
)
def test_an_archive_must_arrive_before_its_deadline(
    uploads: UploadStore, late: timedelta, possible: bool
) -> None:
    arrived = UPLOAD.arrival_deadline + late

    assert (UPLOAD.at(arrived).status is UploadStatus.AWAITING_ARCHIVE) is possible
    if possible:
        claim(uploads, "first", now=arrived)
    else:
        with pytest.raises(NothingToBuild):
            claim(uploads, "first", now=arrived)


def test_nothing_is_built_for_an_upload_that_is_not_there(uploads: UploadStore) -> None:
    with pytest.raises(NothingToBuild):
        uploads.claim_build(
            "upl_01HZZZZZZZZZZZZZZZZZZZZZZ0",
            lease="first",
            now=NOW,
            until=NOW + LEASE,
            deadline=NOW + BUILD_TIME,
        )


@pytest.mark.parametrize("end", ["complete", "fail"])
def test_what_has_come_to_its_end_stays_there(uploads: UploadStore, end: str) -> None:
    build = claim(uploads, "first")
    if end == "complete":
        uploads.complete(build, "pack_1")
    else:
        uploads.fail(build, FAILURE)
    ended = uploads.get(UPLOAD.id)

    uploads.fail(build, FAILURE)
    uploads.complete(build, "pack_2")
    with pytest.raises(NothingToBuild):
        claim(uploads, "second", now=NOW + LEASE)

    assert uploads.get(UPLOAD.id) == ended


@pytest.mark.parametrize("end", ["complete", "fail", "release"])
def test_a_build_that_has_lost_the_lease_records_nothing(uploads: UploadStore, end: str) -> None:
    late = claim(uploads, "first")
    claim(uploads, "second", now=NOW + LEASE)
    before = uploads.get(UPLOAD.id)

    match end:
        case "complete":
            uploads.complete(late, "pack_1")
        case "fail":
            uploads.fail(late, FAILURE)
        case _:
            uploads.release(late, FAILURE, now=NOW + LEASE)

    assert uploads.get(UPLOAD.id) == before
    with pytest.raises(BuildUnderWay):
        claim(uploads, "third", now=NOW + LEASE)


def test_a_pack_and_the_end_of_its_upload_are_one_write(aws: Aws, uploads: UploadStore) -> None:
    """Two builders have everything ready; only the one that holds the lease can write either."""
    packs, repositories = PackStore(table=aws.table, events=aws.events), RepositoryStore(table=aws.table)
    late = claim(uploads, "first")
    holder = claim(uploads, "second", now=NOW + LEASE)
    pack = a_pack(1)
    share = repositories.claim_for_create(
        org_id=ORG, name=pack.name, until=NOW + LEASE, now=NOW, token="a token"
    )

    with pytest.raises(TransactionFailed):
        packs.create(
            pack, actor="a", operation="upload", claim=share, alongside=[uploads.completion(late, pack.id)]
        )
    assert packs.get(pack.id) is None
    assert status(uploads) is UploadStatus.BUILDING

    other = replace(a_pack(2), name=pack.name)
    packs.create(
        other, actor="a", operation="upload", claim=share, alongside=[uploads.completion(holder, other.id)]
    )
    assert packs.get(other.id) == other
    assert status(uploads) is UploadStatus.DONE
