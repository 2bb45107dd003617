"""What is published is scanned first: the real handlers, the scanner's own handler, and the rules that are shipped."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from tests.changes import change
from tests.engine.points import aws_response
from tests.engine.refusals import Fault
from tests.engine.taps import Failure, PointName, Span
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Answer, Request, multipart
from tests.revisions import delete_revision, events_of, made, refusal, reupload, roll_back
from tests.scans import (
    ADVICE,
    ADVICE_RULE,
    SECRET,
    SECRET_RULE,
    TOKEN,
    let_results_be_old,
    override,
    scan_of,
    set_policy,
    walk,
    with_advice,
    with_secret,
)
from tests.service import ACME, GLOBEX, PackArchive, Service, running_service
from tests.staged_uploads import upload
from tests.third_party_images import pack_image

from packyard.store.table import Query

BLOCKED: Final = (409, "scan_blocked")
INVOKE: Final = PointName("lambda.Invoke")


@pytest.fixture
def service() -> Iterator[Service]:
    with running_service(scans=True) as running:
        yield running


def put(service: Service, pack_id: str, path: str, content: bytes, **query: str) -> Answer:
    at = f"/packs/{pack_id}/files/{path}"
    request = Request(method="PUT", resource=at, path=at, query=query, body=content, caller=ACME)
    return service.request("put_file", request)


def again(service: Service, pack_id: str, archive: bytes) -> Answer:
    body, headers = multipart({"archive": archive})
    path = f"/packs/{pack_id}/upload"
    request = Request(method="POST", resource=path, path=path, headers=headers, body=body, caller=ACME)
    return service.request("reupload_pack", request)


def rules(scan: dict[str, Any]) -> list[str]:
    return [finding["rule"] for finding in scan["findings"]]


def test_a_pack_in_which_nothing_is_found_has_passed(service: Service) -> None:
    pack = made(service, visibility="community")

    scan = scan_of(service, pack)

    assert scan["status"] == "passed"
    assert scan["findings"] == []
    assert scan["scanner"]["name"] == "packyard"
    assert scan_of(service, pack, GLOBEX) == {
        name: scan[name] for name in ("status", "scanner", "scanned_at")
    }
    (event,) = events_of(service, "pack.created")
    assert event["data"]["scan"] == {"status": "passed", "findings": {}}


def test_a_secret_is_refused_with_its_place_and_nothing_is_kept(service: Service) -> None:
    answer = service.upload(with_secret())

    assert refusal(answer) == BLOCKED
    (finding,) = answer.body["error"]["details"]["findings"]
    assert (finding["rule"], finding["path"], finding["line"]) == (SECRET_RULE, "guides/start.md", 3)
    assert "guides/start.md, line 3" in answer.body["error"]["message"]
    assert TOKEN not in answer.body["error"]["message"] + str(finding)
    assert service.images() == {}
    assert service.list_packs().body["packs"] == []
    assert events_of(service, "pack.created") == []


def _by_upload(service: Service, _pack: str) -> Answer:
    return service.upload(with_secret("other"))


def _by_reupload(service: Service, pack: str) -> Answer:
    return again(service, pack, with_secret(version="2.0.0"))


def _by_a_file(service: Service, pack: str) -> Answer:
    return put(service, pack, "guides/start.md", SECRET)


def _by_changes(service: Service, pack: str) -> Answer:
    return change(service, pack, {"guides/start.md": SECRET})


@pytest.mark.parametrize("publish", [_by_upload, _by_reupload, _by_a_file, _by_changes])
def test_every_way_to_publish_refuses_a_secret(
    service: Service, publish: Callable[[Service, str], Answer]
) -> None:
    pack = made(service)
    before = service.get(pack).body

    assert refusal(publish(service, pack)) == BLOCKED
    assert service.get(pack).body == before


def test_a_staged_archive_is_refused_in_its_upload(service: Service) -> None:
    ended = upload(service, with_secret())

    assert ended.body["status"] == "failed"
    assert ended.body["error"]["code"] == "scan_blocked"
    assert ended.body["error"]["details"]["findings"][0]["path"] == "guides/start.md"


def test_what_is_no_secret_is_a_warning_that_its_owner_sees(service: Service) -> None:
    pack = service.upload(with_advice(), visibility="community").body["id"]

    scan = scan_of(service, pack)

    assert (scan["status"], rules(scan)) == ("findings", [ADVICE_RULE])
    assert set(scan_of(service, pack, GLOBEX)) == {"status", "scanner", "scanned_at"}
    (event,) = events_of(service, "pack.created")
    assert event["data"]["scan"] == {"status": "findings", "findings": {"high": 1}}


@pytest.mark.parametrize(
    ("policy", "archive", "status"),
    [
        ({"block": "high"}, with_advice(), 409),
        ({"block": "critical"}, with_advice(), 201),
        ({"rules": {ADVICE_RULE: "block"}}, with_advice(), 409),
        ({"rules": {"instruct.*": "block"}}, with_advice(), 409),
        ({"block": "high", "rules": {"instruct.*": "warn"}}, with_advice(), 201),
        ({"block": "none"}, with_secret(), 409),
        ({"rules": {SECRET_RULE: "warn"}}, with_secret(), 201),
        ({"rules": {"secret.*": "ignore"}}, with_secret(), 201),
    ],
)
def test_the_policy_decides_between_a_finding_and_a_block(
    service: Service, policy: dict[str, Any], archive: bytes, status: int
) -> None:
    assert set_policy(service, **policy).status == 200

    assert service.upload(archive).status == status


def test_an_override_lets_one_rule_pass_in_one_file_until_it_ends(service: Service) -> None:
    pack = made(service)
    made_override = override(service, pack)

    assert made_override.status == 201
    assert put(service, pack, "guides/start.md", SECRET).status == 200
    scan = scan_of(service, pack)
    assert scan["findings"][0]["overridden"] is True
    assert scan["overrides"] == [made_override.body]
    assert refusal(put(service, pack, "guides/other.md", SECRET)) == BLOCKED
    (event,) = events_of(service, "scan.overridden")
    assert event["data"]["reason"] == "It has been revoked."

    service.clock.advance(timedelta(days=1))

    assert "overrides" not in scan_of(service, pack)
    # The old file is still there, so that every change is refused now.
    assert refusal(put(service, pack, "guides/other.md", b"# Other\n")) == BLOCKED
    assert put(service, pack, "guides/start.md", b"# Start\n").status == 200


def test_files_that_do_not_change_keep_their_findings_and_others_lose_them(service: Service) -> None:
    files = {"guides/a.md": ADVICE, "guides/b.md": ADVICE, "guides/c.md": b"# C\n"}
    pack = service.upload(PackArchive(files=files).build()).body["id"]

    assert put(service, pack, "guides/a.md", b"# A\n").status == 200
    assert [finding["path"] for finding in scan_of(service, pack)["findings"]] == ["guides/b.md"]
    assert change(service, pack, None, ["guides/b.md"]).status == 200
    assert scan_of(service, pack)["status"] == "passed"
    assert change(service, pack, {"guides/d.md": ADVICE}).status == 200
    assert [finding["path"] for finding in scan_of(service, pack)["findings"]] == ["guides/d.md"]
    assert scan_of(service, pack, revision="1")["status"] == "findings"


def test_a_dry_run_tells_what_the_scan_finds_and_refuses_what_the_request_would(service: Service) -> None:
    pack = made(service)

    tried = put(service, pack, "guides/start.md", ADVICE, dry_run="true")

    assert tried.status == 200
    assert rules(tried.body["scan"]) == [ADVICE_RULE]
    assert refusal(put(service, pack, "guides/start.md", SECRET, dry_run="true")) == BLOCKED
    assert scan_of(service, pack)["status"] == "passed"


def test_a_clone_has_the_result_of_its_source(service: Service) -> None:
    source = service.upload(with_advice(), visibility="community").body["id"]

    clone = service.clone(source, GLOBEX).body["id"]

    assert scan_of(service, clone, GLOBEX) == scan_of(service, source)


def test_the_policy_of_who_clones_counts_and_says_nothing_of_another_s_content(service: Service) -> None:
    files = {f"guides/{number}.md": ADVICE for number in range(5)}
    source = service.upload(PackArchive(files=files).build(), visibility="community").body["id"]
    asked = {"block": "high"}
    assert service.send("policies", "PUT", "/scan-policy", caller=GLOBEX, json=asked).status == 200

    answer = service.clone(source, GLOBEX)

    assert refusal(answer) == BLOCKED
    assert answer.body["error"]["details"] == {"findings": [{"rule": ADVICE_RULE, "severity": "high"}]}
    assert f"refuses ({ADVICE_RULE}). Nothing" in answer.body["error"]["message"]


def test_going_back_is_judged_by_the_present_policy(service: Service) -> None:
    pack = service.upload(with_advice()).body["id"]
    assert reupload(service, pack, "2.0.0").status == 200
    assert set_policy(service, block="high").status == 200

    assert refusal(roll_back(service, pack, 1)) == BLOCKED

    assert set_policy(service).status == 200
    assert roll_back(service, pack, 1).status == 200


FAULTS: Final = (Fault.THROTTLED, Fault.ERROR, Fault.UNAVAILABLE, Fault.UNREACHABLE, Fault.LOST)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_scanner_that_does_not_answer_lets_the_publish_go_on(service: Service, fault: Fault) -> None:
    with service.wire.tapped(Failure(at=INVOKE, fault=fault, span=Span.SERVICE)):
        answer = service.upload(with_secret())

    assert answer.status == 201
    scan = scan_of(service, answer.body["id"])
    assert (scan["status"], scan["incomplete"]) == ("incomplete", "the scanner did not answer in time")


def test_a_scanner_that_does_not_answer_takes_nothing_away_from_what_is_known_of_the_same_image(
    service: Service,
) -> None:
    pack_id = service.upload(with_advice()).body["id"]
    first = scan_of(service, pack_id)
    assert (first["status"], rules(first)) == ("findings", [ADVICE_RULE])
    digest = service.get(pack_id).body["image_digest"]

    def back() -> Any:
        """Send another archive, and the first one while the scanner does not answer."""
        assert again(service, pack_id, with_advice(version="1.1.0")).status == 200
        with service.wire.tapped(Failure(at=INVOKE, span=Span.SERVICE)):
            assert again(service, pack_id, with_advice()).status == 200
        assert service.get(pack_id).body["image_digest"] == digest
        return scan_of(service, pack_id)

    after = back()
    assert (after["status"], after["findings"]) == ("findings", first["findings"])
    # What other rules have found says too little.
    let_results_be_old(service, pack_id, digest)
    assert back()["status"] == "incomplete"


ANSWERS: Final = {
    "a failure": (b'{"errorMessage": "it failed", "stackTrace": []}', True),
    "no report": (b'{"status": "passed"}', False),
    "no JSON": (b"<html>", False),
    "nothing": (b"null", False),
}


@pytest.mark.parametrize(("body", "failed"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_is_no_report_lets_the_publish_go_on(
    service: Service, body: bytes, failed: bool
) -> None:
    def answer(request: AWSPreparedRequest) -> AWSResponse:
        response = aws_response(request, 200, body)
        if failed:
            response.headers["X-Amz-Function-Error"] = "Unhandled"
        return response

    service.wire.servers["lambda"] = answer
    with service.wire.tapped():
        published = service.upload(with_secret())

    assert published.status == 201
    assert scan_of(service, published.body["id"])["status"] == "incomplete"


def test_a_policy_may_refuse_what_was_not_scanned(service: Service) -> None:
    assert set_policy(service, incomplete="block").status == 200

    with service.wire.tapped(Failure(at=INVOKE, span=Span.SERVICE)):
        answer = service.upload(with_advice())

    assert refusal(answer) == BLOCKED
    assert answer.body["error"]["details"] == {
        "findings": [],
        "incomplete": "the scanner did not answer in time",
    }


def test_a_registered_image_is_not_scanned(service: Service) -> None:
    with FakeRegistry() as elsewhere:
        shelf = elsewhere.shelves.repository("team/jira", create=True)
        pack_image(b"name: jira\nversion: 1.0.0\n").shelve(shelf, "1.0.0")
        body = {"image_ref": f"127.0.0.1:{elsewhere.port}/team/jira:1.0.0", "visibility": "community"}
        pack = service.send("create_pack", "POST", "/packs", json=body).body["id"]
        clone = service.clone(pack, GLOBEX).body["id"]

    assert scan_of(service, pack) == {"status": "not_scanned", "findings": []}
    # The copy is in our registry, and is scanned later.
    assert scan_of(service, clone, GLOBEX)["status"] == "incomplete"


def test_with_scanning_off_nothing_is_scanned_and_nothing_is_refused() -> None:
    with running_service() as service:
        pack = service.upload(with_secret()).body["id"]

        assert scan_of(service, pack) == {"status": "not_scanned", "findings": []}
        assert walk(service) == {"scanned": 0, "withdrawn": 0, "more": False}
        assert service.clone(pack, name="copy").status == 201


def test_what_a_scan_found_goes_with_the_content(service: Service) -> None:
    pack = service.upload(with_advice()).body["id"]
    assert override(service, pack).status == 201
    assert reupload(service, pack, "2.0.0").status == 200
    table = service.aws.table

    assert delete_revision(service, pack, 1).status == 200
    assert len(table.query(results(pack)).items) == 2
    assert service.delete(pack).status == 200
    assert table.query(results(pack)).items == []


def results(pack: str) -> Query:
    values = {":pack": f"PACK#{pack}", ":scan": "SCAN#"}
    return Query(condition="PK = :pack AND begins_with(SK, :scan)", values=values)
