"""What a snapshot holds (SnapStart): all that the first request needs, and nothing that grows old."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from tests.aws import template
from tests.call_counts import ROWS, Before, Scene
from tests.credentials import authorized, key_of_acme
from tests.door import DoorClient
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Request
from tests.issuer import Issuer, public
from tests.publishers import GITHUB, exchange, token
from tests.publishers import KEY as CI_KEY
from tests.publishers import add as add_publisher
from tests.service import ACME, DEADLINE, running_service
from tests.snapshots import PROJECT, SNAP_START, started_function

from packyard.oci.build.compression import compress_piece
from packyard.tenants.pull_token import PullToken, TokenKind, sign_token

FUNCTIONS: Final = sorted(path.parent.name for path in (PROJECT / "functions").glob("*/app.py"))


def authorize(scene: Scene) -> object:
    return authorized(scene.service, f"Bearer {key_of_acme(scene.service)}")


def api_docs(scene: Scene) -> object:
    return scene.service.invoke("api_docs", Request(method="GET", resource="/docs", caller=ACME).event())


def console(scene: Scene) -> object:
    return scene.service.invoke("console", Request(method="GET", resource="/console").event())


def authorize_pull(scene: Scene) -> object:
    login = scene.service.services.pull_token_secret
    token = PullToken(
        kind=TokenKind.BEARER,
        org_id=ACME.org_id,
        role_id="r",
        principal=ACME.principal,
        expires_at=datetime.now(UTC) + DEADLINE,
    )
    bearer = sign_token(token, key=login.signing_key())
    decision = DoorClient(service=scene.service, bearer=bearer).authorize()
    assert decision["context"]["role_id"] == "r"
    return decision


def exchange_oidc(scene: Scene) -> object:
    scene.make_org()
    with Issuer(keys=[public(CI_KEY)]) as issuer:
        add_publisher(scene.service, issuer.url)
        answer = exchange(scene.service, token(issuer.url, GITHUB, at=datetime.now(UTC)))
    assert answer.status == 200, answer.body
    return answer


def ping_door(scene: Scene) -> object:
    return scene.service.invoke("ping_door", Request(method="GET", resource="/").event())


def measure_backlog(scene: Scene) -> object:
    return scene.service.invoke("measure_backlog", {"detail-type": "Scheduled Event"})


def scan_content(scene: Scene) -> object:
    content = base64.b64encode(compress_piece(b"# Start\n")).decode()
    file = {"path": "guides/a.md", "content": content, "raw_size": 8, "size": 8, "first_line": 1}
    return scene.service.invoke("scan_content", {"files": [file], "known": {}, "seconds": 2.0})


FIRST_REQUESTS: Final[dict[str, Callable[[Scene], object]]] = {
    "api_docs": api_docs,
    "console": console,
    "attest_image": ROWS["`attest_image`"],
    "list_attestations": ROWS["`GET /packs/{id}/attestations`"],
    "signing_keys": ROWS["`GET /.well-known/packyard/keys.json`"],
    "authorize": authorize,
    "authorize_pull": authorize_pull,
    "build_upload": ROWS["`build_upload`"],
    "change_pack": ROWS["`POST /packs/{id}/changes`"],
    "clean_up": ROWS["`clean_up`, an image in use"],
    "clone_pack": ROWS["`POST /packs/{id}/clone`"],
    "create_pack": ROWS["`POST /packs`"],
    "delete_role": ROWS["`DELETE /agent-roles/{role_id}`"],
    "delete_pack": ROWS["`DELETE /packs/{id}`, built"],
    "delete_revision": ROWS["`DELETE /packs/{id}/revisions/{n}`"],
    "retention": ROWS["`PUT /packs/{id}/retention`"],
    "withdraw_revision": ROWS["`POST /packs/{id}/revisions/{n}/withdrawal`"],
    "download_pack": ROWS["`GET /packs/{id}/download`"],
    "deliver": ROWS["`deliver`, an event"],
    "door_agent_skills": ROWS["`GET /doors/roles/{role_id}/.well-known/agent-skills/index.json`"],
    "door_bundle": ROWS["`GET /doors/roles/{role_id}/lock.json`"],
    "door_clawhub": ROWS["`GET /doors/roles/{role_id}/api/v1/skills/{slug}`"],
    "door_marketplace": ROWS["`GET /doors/roles/{role_id}/marketplace.json`"],
    "door_mcp": ROWS["`POST /doors/roles/{role_id}/mcp`, `resources/read`"],
    "feeds": ROWS["`POST /feeds`, of packs"],
    "fan_out": ROWS["`fan_out`, an event"],
    "prepare_artifacts": ROWS["`prepare_artifacts`"],
    "retry_delivery": ROWS["`retry_delivery`, an event"],
    "webhook_deliveries": ROWS["`GET /webhooks/{webhook_id}/deliveries`"],
    "webhooks": ROWS["`POST /webhooks`"],
    "exchange_oidc": exchange_oidc,
    "exchange_pull_token": ROWS["`GET /v2/token`"],
    "follow_packs": ROWS["`follow_packs`, a role"],
    "get_lock": ROWS["`GET /agent-roles/{role_id}/lock`, the first time"],
    "get_diff": ROWS["`GET /packs/{id}/diff`"],
    "get_file": ROWS["`GET /packs/{id}/files/{path}`"],
    "get_pack": ROWS["`GET /packs/{id}`"],
    "get_usage": ROWS["`GET /usage`"],
    "get_upload": ROWS["`GET /packs/uploads/{upload_id}`"],
    "issue_pull_token": ROWS["`POST /agent-roles/{role_id}/pull-token`"],
    "list_events": ROWS["`GET /events`"],
    "operator_view": ROWS["`GET /operator/deletions`"],
    "operator_view: dead letters": ROWS["`GET /operator/dead-letters`, of which one queue has some"],
    "operator_view: an organisation": ROWS["`GET /operator/organisations/{org}`"],
    "list_files": ROWS["`GET /packs/{id}/files`"],
    "list_packs": ROWS["`GET /packs`"],
    "refresh_role": ROWS["`POST /agent-roles/{role_id}/packs/refresh`"],
    "measure_backlog": measure_backlog,
    "ping_door": ping_door,
    "pull_blob": ROWS["`GET /v2/{owner}/{pack}/blobs/{digest}`"],
    "pull_manifest": ROWS["`GET /v2/{owner}/{pack}/manifests/{digest}`"],
    "put_file": ROWS["`PUT /packs/{id}/files/{path}`"],
    "replace_pack": ROWS["`PUT /packs/{id}`"],
    "reupload_pack": ROWS["`POST /packs/{id}/upload`"],
    "set_role_packs": ROWS["`PUT /agent-roles/{role_id}/packs`"],
    "start_upload": ROWS["`POST /packs/uploads`"],
    "trusted_publishers": ROWS["`POST /trusted-publishers`"],
    "update_pack": ROWS["`PATCH /packs/{id}`"],
    "upload_pack": ROWS["`POST /packs/upload`"],
    "pack_scan": ROWS["`GET /packs/{id}/scan`"],
    "scan_content": scan_content,
    "keys": ROWS["`POST /keys`"],
    "keys: list": ROWS["`GET /keys`"],
    "keys: revoke": ROWS["`DELETE /keys/{key_id}`"],
    "policies": ROWS["`GET /version-policy`"],
    "policies: of signatures": ROWS["`GET /signature-policy`"],
    "policies: of scans": ROWS["`GET /scan-policy`"],
    "list_revisions": ROWS["`GET /packs/{id}/revisions`"],
    "list_revisions: one": ROWS["`GET /packs/{id}/revisions/{n}`"],
    "list_revisions: references": ROWS["`GET /packs/{id}/references`"],
    "get_role_packs": ROWS["`GET /agent-roles`"],
    "get_role_packs: packs": ROWS["`GET /agent-roles/{role_id}/packs`"],
    "get_role_packs: history": ROWS["`GET /agent-roles/{role_id}/revisions`"],
    "rescan_packs": lambda scene: scene.service.invoke("rescan_packs", {"detail-type": "Scheduled Event"}),
}


def use_ecr() -> list[str]:
    """Return the functions that may ask Amazon ECR for something."""
    resources = template()["Resources"].values()
    return sorted(
        Path(resource["Properties"]["CodeUri"]).name
        for resource in resources
        if resource["Type"] == "AWS::Serverless::Function" and "ecr:" in json.dumps(resource)
    )


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with running_service() as service, FakeRegistry() as elsewhere:
        # The functions have the real time; the scene is set within eight minutes before it.
        service.clock.now = datetime.now(UTC) - 4 * DEADLINE
        yield Scene(service, elsewhere)


@pytest.fixture(scope="module")
def before(scene: Scene) -> Before:
    return Before(scene)


def test_each_function_is_started() -> None:
    assert sorted({case.partition(":")[0] for case in FIRST_REQUESTS}) == FUNCTIONS


# Routes that share a function each load their own when no snapshot holds it, so each is tried.
@pytest.mark.parametrize("case", sorted(FIRST_REQUESTS))
def test_before_a_snapshot_no_service_is_called_and_after_it_nothing_is_loaded(
    scene: Scene, before: Before, case: str
) -> None:
    function = case.partition(":")[0]
    before.again(scene)
    with started_function(function, scene.service) as snapshot:
        start = snapshot.started.start
        scene.service = snapshot
        FIRST_REQUESTS[case](scene)
        first = snapshot.started.last

    assert start.calls == []
    assert start.connections == []
    assert first.answer.get("statusCode", 200) < 500
    assert first.answer.get("batchItemFailures", []) == []
    assert first.clients == []
    assert first.modules == []


@pytest.mark.parametrize("function", use_ecr())
def test_no_token_of_amazon_ecr_is_in_a_snapshot(scene: Scene, before: Before, function: str) -> None:
    before.again(scene)
    ecr = SNAP_START | {"PACKYARD_REGISTRY_KIND": "ecr"}
    with started_function(function, scene.service, ecr) as snapshot:
        start = snapshot.started.start

    assert start.calls == []
    assert start.connections == []


def test_without_snapshots_a_start_makes_the_table_s_client_and_no_more(scene: Scene, before: Before) -> None:
    before.again(scene)
    with started_function("upload_pack", scene.service, {}) as started:
        assert started.started.start.clients == ["creating-client-class.dynamodb"]
