"""What every registry does, the fake ones and Debian's alike: so a fake may stand in for a real one.

Which of the 2xx says that something was done is each registry's own (containers/image #381).
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import pytest
import urllib3

from packyard.oci.digest import Digest, digest_of

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
OCTETS = {"Content-Type": "application/octet-stream"}
BLOB = b"0123456789"
DIGEST = digest_of(BLOB)
ABSENT = digest_of(b"absent")
DONE = range(200, 300)


@dataclass
class Wire:
    """Plain requests to one repository."""

    base: str
    repository: str
    http: urllib3.PoolManager

    def ask(self, method: str, path: str, **arguments: Any) -> urllib3.BaseHTTPResponse:
        url = urljoin(f"{self.base}/v2/{self.repository}/", path)
        return self.http.request(method, url, redirect=False, retries=False, timeout=10, **arguments)

    def upload(self, content: bytes) -> Digest:
        location = self.ask("POST", "blobs/uploads/").headers["Location"]
        digest = digest_of(content)
        assert self.ask("PUT", with_digest(location, digest), body=content, headers=OCTETS).status in DONE
        return digest

    def upload_manifest(self, reference: str | None = None) -> tuple[Digest, bytes]:
        config = self.upload(
            b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
        )
        raw = manifest_of(config)
        answer = self.ask(
            "PUT", f"manifests/{reference or digest_of(raw)}", body=raw, headers={"Content-Type": MANIFEST}
        )
        assert answer.status in DONE
        assert answer.headers.get("Docker-Content-Digest", digest_of(raw)) == digest_of(raw)
        return digest_of(raw), raw


def with_digest(location: str, digest: Digest) -> str:
    return f"{location}{'&' if '?' in location else '?'}digest={digest}"


def manifest_of(config: Digest) -> bytes:
    descriptor = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 78}
    body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor, "layers": []}
    return json.dumps(body).encode()


@pytest.fixture
def wire(every_registry_url: str, repository: str) -> Wire:
    return Wire(every_registry_url, repository, urllib3.PoolManager())


class TestBlobs:
    def test_one_that_is_not_there_is_not_found(self, wire: Wire) -> None:
        wire.upload(b"so that the repository is there")

        assert wire.ask("HEAD", f"blobs/{ABSENT}").status == 404
        assert wire.ask("GET", f"blobs/{ABSENT}").status == 404

    def test_what_was_uploaded_comes_back(self, wire: Wire) -> None:
        wire.upload(BLOB)

        head, got = wire.ask("HEAD", f"blobs/{DIGEST}"), wire.ask("GET", f"blobs/{DIGEST}")
        # Some redirect to where the blob lies, even where they send it themselves.
        assert (head.status, head.headers["Content-Length"]) == (200, "10") or head.status == 302
        assert (got.status, got.data, got.headers["Docker-Content-Digest"]) == (200, BLOB, DIGEST)

    @pytest.mark.parametrize(
        ("wanted", "content", "said"),
        [
            ("bytes=2-5", b"2345", "bytes 2-5/10"),
            ("bytes=7-", b"789", "bytes 7-9/10"),
            ("bytes=8-99", b"89", "bytes 8-9/10"),
        ],
    )
    def test_a_range_of_one_comes_back(self, wire: Wire, wanted: str, content: bytes, said: str) -> None:
        wire.upload(BLOB)

        got = wire.ask("GET", f"blobs/{DIGEST}", headers={"Range": wanted})

        assert (got.status, got.data, got.headers["Content-Range"]) == (206, content, said)

    def test_a_range_beyond_the_end_cannot_be_had(self, wire: Wire) -> None:
        wire.upload(BLOB)

        # Debian's registry announces the blob's length here and sends less: the body is left alone.
        with wire.ask(
            "GET", f"blobs/{DIGEST}", headers={"Range": "bytes=10-"}, preload_content=False
        ) as answer:
            assert answer.status == 416

    def test_one_of_another_digest_is_refused(self, wire: Wire) -> None:
        location = wire.ask("POST", "blobs/uploads/").headers["Location"]

        answer = wire.ask("PUT", with_digest(location, ABSENT), body=BLOB, headers=OCTETS)

        assert answer.status == 400
        assert answer.json()["errors"][0]["code"] == "DIGEST_INVALID"

    def test_an_upload_is_identified_by_its_whole_location(self, wire: Wire) -> None:
        location = wire.ask("POST", "blobs/uploads/").headers["Location"]

        answer = wire.ask("PUT", f"{location.partition('?')[0]}?digest={DIGEST}", body=BLOB, headers=OCTETS)

        assert 400 <= answer.status < 500

    def test_an_upload_in_two_pieces_is_put_together(self, wire: Wire) -> None:
        location = wire.ask("POST", "blobs/uploads/").headers["Location"]
        first = wire.ask("PATCH", location, body=BLOB[:4], headers=OCTETS | {"Content-Range": "0-3"})
        assert (first.status, first.headers["Range"]) == (202, "0-3")
        at = wire.ask("GET", first.headers["Location"])
        assert (at.status, at.headers["Range"]) == (204, "0-3")

        last = wire.ask("PUT", with_digest(at.headers["Location"], DIGEST), body=BLOB[4:], headers=OCTETS)

        assert last.status in DONE
        assert wire.ask("GET", f"blobs/{DIGEST}").data == BLOB

    def test_an_upload_that_states_no_length_is_taken_in_chunks_and_closed_without_a_body(
        self, wire: Wire
    ) -> None:
        location = wire.ask("POST", "blobs/uploads/").headers["Location"]
        taken = wire.ask("PATCH", location, body=iter([BLOB[:4], BLOB[4:]]), headers=OCTETS)
        assert taken.status in DONE

        closing = with_digest(taken.headers["Location"], DIGEST)
        assert wire.ask("PUT", closing, headers={"Content-Length": "0"}).status in DONE

        assert wire.ask("GET", f"blobs/{DIGEST}").data == BLOB

    def test_a_cancelled_upload_is_gone(self, wire: Wire) -> None:
        location = wire.ask("POST", "blobs/uploads/").headers["Location"]

        assert wire.ask("DELETE", location).status == 204
        assert wire.ask("PUT", with_digest(location, DIGEST), body=BLOB, headers=OCTETS).status == 404

    def test_one_of_another_repository_is_mounted_or_its_upload_begins(self, wire: Wire) -> None:
        wire.upload(BLOB)
        other = Wire(wire.base, f"{wire.repository}-other", wire.http)

        answer = other.ask("POST", f"blobs/uploads/?mount={DIGEST}&from={wire.repository}")

        assert answer.status in DONE
        if answer.status == 201:
            assert answer.headers["Location"].endswith(DIGEST)
            assert other.ask("GET", f"blobs/{DIGEST}").data == BLOB
        else:
            closing = with_digest(answer.headers["Location"], DIGEST)
            assert other.ask("PUT", closing, body=BLOB, headers=OCTETS).status in DONE

    def test_mounting_what_is_not_there_begins_an_upload(self, wire: Wire) -> None:
        answer = wire.ask("POST", f"blobs/uploads/?mount={ABSENT}&from={wire.repository}")

        assert answer.status in DONE
        assert "/blobs/uploads/" in answer.headers["Location"]


class TestManifests:
    def test_one_comes_back_byte_for_byte_by_digest_and_by_tag(self, wire: Wire) -> None:
        digest, raw = wire.upload_manifest("1.0.0")

        for reference in (digest, "1.0.0"):
            got = wire.ask("GET", f"manifests/{reference}", headers={"Accept": MANIFEST})
            assert (got.status, got.data) == (200, raw)
            assert got.headers["Content-Type"] == MANIFEST
            assert got.headers["Docker-Content-Digest"] == digest
            assert wire.ask("HEAD", f"manifests/{reference}", headers={"Accept": MANIFEST}).status == 200

    def test_one_that_is_not_there_is_not_found(self, wire: Wire) -> None:
        wire.upload_manifest()

        assert wire.ask("GET", f"manifests/{ABSENT}").status == 404
        assert wire.ask("GET", "manifests/absent").status == 404

    def test_one_that_names_an_absent_blob_is_refused(self, wire: Wire) -> None:
        raw = manifest_of(ABSENT)

        answer = wire.ask("PUT", f"manifests/{digest_of(raw)}", body=raw, headers={"Content-Type": MANIFEST})

        assert 400 <= answer.status < 500
        assert answer.json()["errors"][0]["code"] == "MANIFEST_BLOB_UNKNOWN"

    def test_an_index_that_names_an_absent_manifest_is_refused(self, wire: Wire) -> None:
        entry = {"mediaType": MANIFEST, "digest": ABSENT, "size": 9}
        raw = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).encode()

        answer = wire.ask("PUT", "manifests/latest", body=raw, headers={"Content-Type": INDEX})

        assert 400 <= answer.status < 500

    def test_one_under_another_digest_is_refused(self, wire: Wire) -> None:
        _, raw = wire.upload_manifest()

        answer = wire.ask("PUT", f"manifests/{ABSENT}", body=raw, headers={"Content-Type": MANIFEST})

        assert answer.status == 400

    def test_one_that_is_no_json_is_refused(self, wire: Wire) -> None:
        answer = wire.ask("PUT", "manifests/latest", body=b"{", headers={"Content-Type": MANIFEST})

        assert answer.status == 400

    def test_a_tag_moves(self, wire: Wire) -> None:
        wire.upload_manifest("latest")
        config = wire.upload(
            b'{"architecture":"arm64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
        )
        raw = manifest_of(config)

        assert (
            wire.ask("PUT", "manifests/latest", body=raw, headers={"Content-Type": MANIFEST}).status in DONE
        )
        assert wire.ask("GET", "manifests/latest", headers={"Accept": MANIFEST}).data == raw

    def test_a_deleted_one_takes_its_tags_along(self, wire: Wire) -> None:
        digest, _ = wire.upload_manifest("1.0.0")
        assert wire.ask("GET", "tags/list").json() == {"name": wire.repository, "tags": ["1.0.0"]}

        assert wire.ask("DELETE", f"manifests/{digest}").status in DONE

        assert wire.ask("GET", f"manifests/{digest}").status == 404
        assert wire.ask("GET", "manifests/1.0.0").status == 404
        assert wire.ask("DELETE", f"manifests/{digest}").status == 404


def test_the_api_is_there(wire: Wire) -> None:
    assert wire.ask("GET", "/v2/").status == 200


def test_the_last_page_of_tags_links_to_no_other_and_all_pages_hold_all_tags(wire: Wire) -> None:
    tags = [f"1.{minor}.0" for minor in range(5)]
    for tag in tags:
        wire.upload_manifest(tag)

    found: list[str] = []
    url = "tags/list?n=2"
    while url:
        answer = wire.ask("GET", url)
        found += answer.json()["tags"]
        url = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")

    # Debian's sorts none of them, and sends all of them at once.
    assert sorted(found) == tags


def test_the_tags_of_no_repository_are_not_found(wire: Wire) -> None:
    assert wire.ask("GET", "tags/list").status == 404
