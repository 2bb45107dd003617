"""POST /packs and PUT /packs/{id} through the deployed template, with Debian's registry to pull from."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from local.docker_registry import docker_registry
from local.stack import StackDescription
from tests.e2e.client import Client
from tests.service import PackArchive

from packyard.oci.build.image import build_image
from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.tree import File, canonical_order
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.reader import read_archive
from packyard.registry.credentials import Anonymous
from packyard.registry.own.factory import distribution_registry
from packyard.registry.own.transport import Timeouts


def push(url: str, repository: str, archive: PackArchive) -> str:
    """Push an archive's image under its version's tag and return its reference."""
    timeouts = Timeouts(sleep=lambda _seconds: None, monotonic=lambda: 0)
    registry = distribution_registry(url=url, credential=Anonymous(), timeouts=timeouts)
    with LayerSpool() as spool:
        contents = read_archive(BytesIO(archive.build()), limits=ArchiveLimits(), contents=spool)
        files = [File(file.path, file.executable, file.content) for file in contents.files]
        layer = spool.assemble(canonical_order(directories=contents.directories, files=files))
        image = build_image(layers=[layer], title=archive.name, version=archive.version)
        registry.push(repository, image)
    registry.tag(repository, archive.version, image.index)
    return f"{registry.host}/{repository}:{archive.version}"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("elsewhere")) as url:
        yield url


def test_an_image_elsewhere_becomes_a_pack_and_moves_to_its_next_version(
    acme: Client, elsewhere: str
) -> None:
    first = push(elsewhere, "team/roaming", PackArchive(name="roaming", version="1.0.0"))
    second = push(elsewhere, "team/roaming", PackArchive(name="roaming", version="1.1.0"))

    created = acme.call("POST", "/packs", json={"image_ref": first})
    repeated = acme.call("POST", "/packs", json={"image_ref": first})
    replaced = acme.call("PUT", f"/packs/{created.body['id']}", json={"image_ref": second})

    assert (created.status, repeated.status, replaced.status) == (201, 200, 200)
    assert (created.body["version"], replaced.body["version"]) == ("1.0.0", "1.1.0")
    assert replaced.body["image_digest"] != created.body["image_digest"]
    assert replaced.headers["ETag"] == '"2"'


@pytest.mark.parametrize(
    "image_ref",
    [
        "10.0.0.1/team/pack:1",
        "169.254.169.254/latest/meta-data:1",
        "[::1]/team/pack:1",
        "localhost:22/team/pack:1",
        "UPPER CASE",
    ],
)
def test_where_we_do_not_go_is_400_on_image_ref(acme: Client, image_ref: str) -> None:
    reply = acme.call("POST", "/packs", json={"image_ref": image_ref})

    assert (reply.status, reply.code) == (400, "validation_error")
    assert list(reply.body["error"]["details"]["fields"]) == ["image_ref"]


def test_a_registry_that_does_not_answer_is_502(acme: Client) -> None:
    reply = acme.call("POST", "/packs", json={"image_ref": "127.0.0.1:1/team/pack:1"})

    assert (reply.status, reply.code) == (502, "registry_unavailable")


def test_a_pack_of_ours_rolls_back_and_another_organisation_cannot(
    stack: StackDescription, acme: Client
) -> None:
    pack = acme.upload(PackArchive(name="rolled").build()).body
    repository = pack["image_ref"].rpartition(":")[0]
    by_digest = {"image_ref": f"{repository}@{pack['image_digest']}"}

    theirs = Client.of(stack, "globex").call("PUT", f"/packs/{pack['id']}", json=by_digest)
    elsewhere = acme.call("PUT", f"/packs/{pack['id']}", json={"image_ref": "docker.io/library/x"})
    stale = acme.call("PUT", f"/packs/{pack['id']}", json=by_digest, headers={"If-Match": '"9"'})
    ours = acme.call("PUT", f"/packs/{pack['id']}", json=by_digest)

    assert (theirs.status, theirs.code) == (404, "pack_not_found")
    assert (elsewhere.status, elsewhere.code) == (400, "validation_error")
    assert (stale.status, stale.code) == (412, "precondition_failed")
    assert ours.status == 200, ours.body
    assert ours.body["image_digest"] == pack["image_digest"]


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/packs"), ("PUT", "/packs/pack_01KB0000000000000000000000")]
)
def test_a_missing_right_to_create_is_reported_before_the_body_is_read(
    stack: StackDescription, method: str, path: str
) -> None:
    answers = [
        client.call(method, path, json={})
        for client in (
            Client.of(stack),
            Client.of(stack, "acme", "read_only"),
            Client.of(stack, "lapsed"),
            Client.of(stack, "acme"),
        )
    ]

    assert [(answer.status, answer.code) for answer in answers] == [
        (401, "unauthenticated"),
        (403, "permission_denied"),
        (423, "billing_inactive"),
        (400, "validation_error"),
    ]
