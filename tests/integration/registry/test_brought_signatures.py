"""Reading what lies beside an image, from registries of each kind and from those that answer oddly."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.fake_registry.moods import Calls, CutsOff, NeverEnds, Refuses, Says
from tests.fake_registry.server import FakeRegistry
from tests.fake_registry.shelves import Repository
from tests.image_sources import LOOPBACK, ORG, image_source
from tests.signatures import (
    NOW,
    Key,
    brought,
    bundle,
    cosign_tag,
    fall_back,
    index_of,
    policy_of,
    refer,
    shelve_cosign_s,
    simple_signing,
    simply_signed,
    statement,
    written_by_cosign,
)
from tests.third_party_images import ForeignImage, index, pack_image, shelve

from packyard.oci.document import Document
from packyard.oci.media_types import INDEX
from packyard.oci.reference import parse_reference
from packyard.signatures.brought import MAX_BYTES_EACH, MAX_KEPT, ImageSignatures
from packyard.signatures.judging import Judge

KEY = Key()
IMAGE = pack_image()


@pytest.fixture
def shelf(fake: FakeRegistry) -> Repository:
    repository = fake.shelves.repository("acme/slack", create=True)
    IMAGE.shelve(repository, "1.4.0")
    return repository


def read(fake: FakeRegistry, name: str = "acme/slack:1.4.0") -> ImageSignatures:
    reference = parse_reference(f"{fake.url.removeprefix('http://')}/{name}")
    return image_source(trusted=LOOPBACK).read_signed_pack(reference, org_id=ORG, at=NOW)[1]


def signed(image: ForeignImage = IMAGE, key: Key = KEY) -> dict[str, Any]:
    return bundle(key, statement(image.manifest.digest))


def is_signed(found: ImageSignatures, key: Key | str = KEY, **more: Any) -> bool:
    return Judge(policy_of(key, images=["**"], **more)).refusal(found) is None


def api(fake: FakeRegistry, document: Document | bytes, *, media_type: str = INDEX, link: str = "") -> None:
    """Let the registry have the referrers API, with this answer."""
    headers = (("Content-Type", media_type), *([("Link", link)] if link else []))
    body = document if isinstance(document, bytes) else document.raw
    fake.moods.insert(0, Says(method="GET", path="/referrers/", headers=headers, body=body))


@pytest.mark.parametrize("name", written_by_cosign()["repositories"])
def test_what_real_cosign_has_written_is_found_and_verified(fake: FakeRegistry, name: str) -> None:
    shelve_cosign_s(fake.shelves.repository(name, create=True), name)
    key = written_by_cosign()["keys"][name.partition("/")[2]]

    found = read(fake, f"{name}:1.4.0")

    assert len(found.found) == 2
    # cosign 3 signs bundles by Ed25519ph, which the library does not verify (decision 129).
    verified = name != "cosign3/ed25519"
    assert is_signed(found, key) is verified
    assert is_signed(found, key, requires=["https://packyard.example/review/v1"]) is verified
    assert not is_signed(found, KEY)


def test_referrers_that_the_api_lists_are_found(fake: FakeRegistry, shelf: Repository) -> None:
    api(fake, index_of(refer(shelf, IMAGE.manifest, signed())))

    found = read(fake)

    assert is_signed(found)
    assert found.complete
    assert found.looked_at[0] == "referrers API: lists 1"
    assert [request.path.rpartition("/")[0] for request in fake.requests[2:]] == [
        "/v2/acme/slack/referrers",
        "/v2/acme/slack/manifests",
        "/v2/acme/slack/blobs",
        "/v2/acme/slack/manifests",
        "/v2/acme/slack/manifests",
    ]


# GHCR and older registries have no such API. Some say so by another status, or by 200 and something else
# (sigstore-js#1187); an empty list is not believed either.
def refuses(status: int) -> Callable[[FakeRegistry], object]:
    return lambda fake: fake.moods.append(Refuses(path="/referrers/", status=status))


ODD: dict[str, Callable[[FakeRegistry], object]] = {
    **{str(status): refuses(status) for status in (400, 401, 403, 404, 405, 406, 410, 501)},
    "a page": lambda fake: api(fake, b"<html>", media_type="text/html"),
    "JSON": lambda fake: api(fake, b"{}", media_type="application/json"),
    "an index that is none": lambda fake: api(fake, b"[" * 50_000),
    "an empty list": lambda fake: api(fake, index_of()),
    "without end": lambda fake: fake.moods.append(NeverEnds(path="/referrers/")),
}


@pytest.mark.parametrize("case", ODD)
def test_where_there_is_no_api_the_tag_is_looked_at(fake: FakeRegistry, shelf: Repository, case: str) -> None:
    fall_back(shelf, IMAGE.manifest, refer(shelf, IMAGE.manifest, signed()))
    ODD[case](fake)

    found = read(fake)

    assert is_signed(found)
    assert found.found[0].where == f"tag {IMAGE.manifest.digest.replace(':', '-')}"


@pytest.mark.parametrize(
    "stated",
    [{"artifactType": "application/vnd.oci.empty.v1+json"}, {"artifactType": ""}, {"artifactType": ["a"]}],
)
def test_a_list_that_states_another_type_is_read_all_the_same(
    fake: FakeRegistry, shelf: Repository, stated: dict[str, Any]
) -> None:
    """cosign#4641: what an old library writes into the list."""
    fall_back(shelf, IMAGE.manifest, refer(shelf, IMAGE.manifest, signed()), **stated)

    assert is_signed(read(fake))


def test_a_tag_that_names_the_image_itself_is_no_list(fake: FakeRegistry) -> None:
    """oras-go#1396: GitLab resolves the tag to the digest, so that platforms of an image would pass for referrers."""
    repository = fake.shelves.repository("acme/slack", create=True)
    IMAGE.shelve(repository)
    top = index((IMAGE.manifest, "linux/amd64"))
    shelve(repository, top, "1.4.0", top.digest.replace(":", "-"))

    found = read(fake)

    assert found.found == ()
    assert found.looked_at[1].endswith(": the image itself")


def test_a_referrer_of_another_image_is_left_out(fake: FakeRegistry, shelf: Repository) -> None:
    other = pack_image(b"name: slack\nversion: 9.9.9\n")
    fall_back(shelf, IMAGE.manifest, refer(shelf, other.manifest, signed()))

    assert read(fake).found == ()


def test_cosign_s_tags_are_found(fake: FakeRegistry, shelf: Repository) -> None:
    payload = simple_signing(digest=IMAGE.manifest.digest, repository="ghcr.io/acme/slack")
    attested = brought(
        bundle(KEY, statement(IMAGE.manifest.digest, predicate_type="https://a.example/b"))["dsseEnvelope"],
        media_type="application/vnd.dsse.envelope.v1+json",
    )
    cosign_tag(shelf, IMAGE.manifest, simply_signed(Key(), payload), simply_signed(KEY, payload))
    cosign_tag(shelf, IMAGE.manifest, attested, suffix=".att")

    found = read(fake)

    assert len(found.found) == 3
    assert is_signed(found, requires=["signature", "https://a.example/b"])


def test_pages_are_followed_on_the_registry_s_own_path(fake: FakeRegistry, shelf: Repository) -> None:
    api(
        fake,
        index_of(refer(shelf, IMAGE.manifest, signed(key=Key()))),
        link='<http://evil.test/x?n=2>; rel="next"',
    )
    second = index_of(refer(shelf, IMAGE.manifest, signed()))
    fake.moods[0].times = 1
    fake.moods.append(Says(path="/referrers/", headers=(("Content-Type", INDEX),), body=second.raw, times=1))

    assert is_signed(read(fake))
    assert [request.query for request in fake.requests if "/referrers/" in request.path] == [{}, {"n": "2"}]


def test_pages_without_end_are_given_up(fake: FakeRegistry, shelf: Repository) -> None:
    api(fake, index_of(refer(shelf, IMAGE.manifest, signed())), link='</v2/x?n=2>; rel="next"')

    found = read(fake)

    assert is_signed(found)
    assert not found.complete
    assert len([request for request in fake.requests if "/referrers/" in request.path]) == 3


def test_many_and_large_ones_are_bounded(fake: FakeRegistry, shelf: Repository) -> None:
    payload = simple_signing(digest=IMAGE.manifest.digest)
    junk = [simply_signed(KEY, payload, predicateType=str(number)) for number in range(MAX_KEPT + 10)]
    large = brought(b" " * (MAX_BYTES_EACH + 1))
    fall_back(shelf, IMAGE.manifest, refer(shelf, IMAGE.manifest, large.content or b""))
    cosign_tag(shelf, IMAGE.manifest, *junk)

    found = read(fake)

    assert len(found.found) == MAX_KEPT
    assert not found.complete
    assert [one.content for one in found.found if one.digest == large.digest] == [None]
    assert not any(large.digest in request.path for request in fake.requests)


def test_those_that_may_be_signatures_are_read_before_other_things(
    fake: FakeRegistry, shelf: Repository
) -> None:
    reports = [
        refer(shelf, IMAGE.manifest, {"n": number}, media_type="application/vnd.report+json")
        for number in range(40)
    ]
    signature = refer(shelf, IMAGE.manifest, signed())
    listed = json.loads(index_of(*reports, signature).raw)
    for entry in listed["manifests"][:-1]:
        entry["artifactType"] = "application/vnd.report+json"
    api(fake, json.dumps(listed).encode())

    found = read(fake)

    assert is_signed(found)
    assert not found.complete
    assert all(one.content is None for one in found.found[1:])


@pytest.mark.parametrize(
    "mood",
    [
        Refuses(path="/referrers/", status=429),
        Refuses(path="/referrers/", status=503),
        Refuses(path=".sig", status=500),
        CutsOff(path="/manifests/sha256-"),
    ],
    ids=["throttled", "unavailable", "broken", "cut off"],
)
def test_a_registry_that_cannot_say_is_not_one_that_says_no(
    fake: FakeRegistry, shelf: Repository, mood: Any
) -> None:
    """giantswarm/retagger#1239: a list that was throttled passed for an empty one."""
    fall_back(shelf, IMAGE.manifest, refer(shelf, IMAGE.manifest, signed()))
    fake.moods.append(mood)

    found = read(fake)

    assert found.unread
    assert not found.complete
    assert found.found == ()


@pytest.mark.parametrize(
    "mood", [Calls(path="/manifests/sha256-", content_type="text/plain"), Refuses(path="/blobs/", status=404)]
)
def test_what_cannot_be_had_is_said(fake: FakeRegistry, shelf: Repository, mood: Any) -> None:
    fall_back(shelf, IMAGE.manifest, refer(shelf, IMAGE.manifest, signed()))
    # After the image itself has been read.
    mood.path = mood.path if isinstance(mood, Calls) else f"/blobs/{_blob(shelf)}"
    fake.moods.append(mood)

    found = read(fake)

    assert not is_signed(found)
    assert "of another type, text/plain" in " ".join(found.looked_at) or not found.complete


def _blob(shelf: Repository) -> str:
    return next(digest for digest, content in shelf.blobs.items() if b"dsseEnvelope" in content)
