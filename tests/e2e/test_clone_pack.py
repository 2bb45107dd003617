"""POST /packs/{id}/clone on the deployed template: its row for each status, and what other people's tools pull."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from local.docker_registry import docker_registry
from local.stack import StackDescription
from tests.e2e.client import UNKNOWN, Client, Reply, assert_refused, without_states
from tests.service import PackArchive
from tests.witnesses import run


@pytest.fixture(scope="module")
def shared(acme: Client) -> dict[str, Any]:
    """A pack of another organisation, for all to see."""
    reply = acme.upload(PackArchive(name="to-clone").build(), visibility="community")
    assert reply.status == 201, reply.body
    pack: dict[str, Any] = reply.body
    return pack


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("elsewhere")) as url:
        yield url.removeprefix("http://")


def clone(client: Client, pack_id: str, **body: object) -> Reply:
    return client.call("POST", f"/packs/{pack_id}/clone", json=body)


def pinned(pack: dict[str, Any]) -> str:
    return f"docker://{pack['image_ref'].rpartition(':')[0]}@{pack['image_digest']}"


def copy_of_all(source: str, target: Path) -> list[str]:
    """Have skopeo copy every platform, which checks every digest, and return the blobs' names."""
    run("skopeo", "--insecure-policy", "copy", "--all", "--src-tls-verify=false", source, f"dir:{target}")
    return sorted(path.name for path in target.iterdir())


def test_a_clone_is_pulled_by_its_source_s_digest_and_outlives_it(
    acme: Client, globex: Client, tmp_path: Path
) -> None:
    source = acme.upload(PackArchive(name="short-lived").build(), visibility="community").body
    before = copy_of_all(pinned(source), tmp_path / "source")

    made = clone(globex, source["id"], name="lasting")
    deleted = acme.call("DELETE", f"/packs/{source['id']}")

    assert (made.status, deleted.status) == (201, 200)
    assert (made.body["image_digest"], made.body["image_origin"]) == (source["image_digest"], "clone")
    assert made.headers["ETag"] == '"1"'
    assert copy_of_all(pinned(made.body), tmp_path / "clone") == before
    tagged = json.loads(run("skopeo", "inspect", "--tls-verify=false", f"docker://{made.body['image_ref']}"))
    assert tagged["Digest"] == source["image_digest"]


def test_an_image_of_others_comes_over_with_every_platform(
    acme: Client, globex: Client, elsewhere: str, tmp_path: Path
) -> None:
    built = acme.upload(PackArchive(name="travels").build()).body
    away = f"{elsewhere}/team/travels:1"
    run(
        *(
            "skopeo",
            "--insecure-policy",
            "copy",
            "--all",
            "--src-tls-verify=false",
            "--dest-tls-verify=false",
        ),
        *(pinned(built), f"docker://{away}"),
    )
    registered = globex.call("POST", "/packs", json={"image_ref": away, "visibility": "community"}).body

    made = clone(acme, registered["id"], name="came-back")

    assert (made.status, made.body["image_digest"]) == (201, built["image_digest"])
    assert copy_of_all(pinned(made.body), tmp_path / "clone") == copy_of_all(
        pinned(built), tmp_path / "built"
    )


def test_a_repeat_answers_200_and_a_taken_name_409(globex: Client, shared: dict[str, Any]) -> None:
    first = clone(globex, shared["id"], name="repeated")
    again = clone(globex, shared["id"], name="repeated")
    other = clone(globex, shared["id"], name="repeated", visibility="community")

    assert (first.status, again.status) == (201, 200)
    assert without_states(again.body) == without_states(first.body)
    assert_refused(other, 409, "pack_name_taken")
    assert other.body["error"]["details"] == {"pack_id": first.body["id"]}


def test_a_clone_is_deleted_with_its_image(globex: Client, shared: dict[str, Any]) -> None:
    made = clone(globex, shared["id"], name="passing").body

    assert globex.call("DELETE", f"/packs/{made['id']}").status == 200

    assert_refused(globex.call("GET", f"/packs/{made['id']}"), 404, "pack_not_found")
    assert clone(globex, shared["id"], name="passing").status == 201


def test_what_cannot_be_seen_is_not_there(acme: Client, globex: Client) -> None:
    theirs = acme.upload(PackArchive(name="kept-to-itself").build()).body

    assert_refused(clone(globex, theirs["id"]), 404, "pack_not_found")
    assert_refused(clone(globex, UNKNOWN), 404, "pack_not_found")


def test_a_wrong_body_is_400_by_field(globex: Client, shared: dict[str, Any]) -> None:
    refused = clone(globex, shared["id"], name="Not A Slug", visibility="all")

    assert_refused(refused, 400, "validation_error")
    assert refused.body["error"]["details"]["fields"].keys() == {"name", "visibility"}


def test_a_missing_right_to_create_is_reported_before_the_body_is_read(
    stack: StackDescription, shared: dict[str, Any]
) -> None:
    clients = (Client.of(stack), Client.of(stack, "acme", "read_only"), Client.of(stack, "lapsed"))
    answers = [clone(client, shared["id"], name=5) for client in clients]

    assert [(answer.status, answer.code) for answer in answers] == [
        (401, "unauthenticated"),
        (403, "permission_denied"),
        (423, "billing_inactive"),
    ]
