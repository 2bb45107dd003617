"""GET /packs/{id}/files and GET /packs/{id}/files/{path}, through their real handlers."""

import base64
import gzip
import hashlib
import json
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from backports import zstd
from tests.aws import BUCKET
from tests.fake_registry.moods import CutsOff, Garbles, KnowsNoRanges, Redirects, Refuses, Says
from tests.fake_registry.server import FakeRegistry
from tests.gateway import Request
from tests.service import ACME, GLOBEX, PackArchive, Service
from tests.third_party_images import PACK_YAML, Blob, ForeignImage, image, layer, named, tar

from packyard.http.files import content_type
from packyard.http.inline_limit import MAX_INLINE_BYTES
from packyard.oci.digest import Digest
from packyard.storage.file_indexes import index_key
from packyard.tenants.caller import Caller

NOISE = os.urandom(3 << 20)
FILES = {
    "guides/a b/ü.md": "# Grüße\n".encode(),
    "data/noise.bin": NOISE,
    "data/small.bin": b"\x00\x01",
    "data/page.html": b"<script>alert(1)</script>",
    "data/empty": b"",
    "scripts/run.sh": b"#!/bin/sh\n",
}
UNKNOWN = "pack_01HZZZZZZZZZZZZZZZZZZZZZZZ"


@dataclass(frozen=True)
class Raw:
    """An answer with its body as bytes, as the gateway passes it on."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


def ask(
    service: Service,
    function: str,
    pack_id: str,
    path: str = "",
    caller: Caller | None = ACME,
    *,
    headers: Mapping[str, str] | None = None,
) -> Raw:
    tail = "" if function == "list_files" else f"/{path}"
    request = Request(
        method="GET",
        resource="/packs/{id}/files",
        path=f"/packs/{pack_id}/files{tail}",
        headers=dict({"Accept": "*/*"} if headers is None else headers),
        caller=caller,
    )
    answer = service.invoke(function, request.event())
    body = answer["body"] or ""
    content = base64.b64decode(body) if answer["isBase64Encoded"] else body.encode()
    return Raw(answer["statusCode"], {k: v[0] for k, v in answer["multiValueHeaders"].items()}, content)


def read(service: Service, pack_id: str, path: str, caller: Caller | None = ACME, **more: Any) -> Raw:
    return ask(service, "get_file", pack_id, path, caller, **more)


def listed(service: Service, pack_id: str, caller: Caller | None = ACME) -> Raw:
    return ask(service, "list_files", pack_id, caller=caller)


def upload(service: Service, files: Mapping[str, bytes] = FILES, **more: Any) -> dict[str, Any]:
    answer = service.upload(PackArchive(files=files).build(), **more)
    assert answer.status == 201, answer.body
    body: dict[str, Any] = answer.body
    return body


def forget_indexes(service: Service) -> int:
    keys = [key for key in service.aws.objects() if key.startswith("indexes/")]
    for key in keys:
        service.aws.s3.delete_object(Bucket=BUCKET, Key=key)
    return len(keys)


def quoted(path: str) -> str:
    return "/".join(quote(segment, safe="") for segment in path.split("/"))


def fetched(service: Service, answer: Raw) -> bytes:
    """Return what lies where an answer points to."""
    key = urlsplit(answer.headers["Location"]).path.partition("/files/")[2]
    content: bytes = service.aws.s3.get_object(Bucket=BUCKET, Key=f"files/{key}")["Body"].read()
    return content


def asked(registry: FakeRegistry) -> list[tuple[str, str | None]]:
    """Return what a registry was asked for, and which range of it."""
    return [(request.path.split("/")[-2], request.headers.get("Range")) for request in registry.requests]


class TestBuiltPacks:
    def test_the_list_names_every_file_with_size_mode_and_digest(self, service: Service) -> None:
        pack = upload(service)
        service.registry.requests.clear()

        answer = listed(service, pack["id"])

        assert answer.status == 200
        files = {file["path"]: file for file in answer.json["files"]}
        assert list(files) == sorted([*FILES, "pack.yaml"])
        for path, content in FILES.items():
            assert files[path] == {
                "path": path,
                "size": len(content),
                "mode": "0644",
                "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
            }
        assert service.registry.requests == [], "the index beside the layer is enough"

    @pytest.mark.parametrize("path", FILES)
    def test_a_file_is_read_with_one_request_for_its_own_bytes(self, service: Service, path: str) -> None:
        pack = upload(service)
        service.registry.requests.clear()

        answer = read(service, pack["id"], quoted(path))

        assert (answer.status, answer.body) == (200, FILES[path])
        assert answer.headers["ETag"] == f'"sha256:{hashlib.sha256(FILES[path]).hexdigest()}"'
        assert len(service.registry.requests) == (1 if FILES[path] else 0)
        for _, wanted in asked(service.registry):
            assert wanted is not None
            start, end = map(int, wanted.removeprefix("bytes=").split("-"))
            assert end - start < len(FILES[path]) * 1.01 + 512

    def test_bytes_are_passed_through_base64_and_text_is_not(self, service: Service) -> None:
        pack = upload(service)

        def is_base64(path: str) -> bool:
            request = Request(
                method="GET",
                resource="/packs/{id}/files/{path+}",
                path=f"/packs/{pack['id']}/files/{path}",
                headers={"Accept": "*/*"},
                caller=ACME,
            )
            return bool(service.invoke("get_file", request.event())["isBase64Encoded"])

        assert is_base64("data/small.bin")
        assert not is_base64("scripts/run.sh")

    def test_a_client_without_an_accept_header_is_redirected_to_the_bytes(self, service: Service) -> None:
        pack = upload(service)

        binary = read(service, pack["id"], "data/small.bin", headers={})

        assert binary.status == 302
        assert fetched(service, binary) == FILES["data/small.bin"]
        assert read(service, pack["id"], "scripts/run.sh", headers={}).status == 200

    def test_a_community_pack_s_files_are_everybody_s(self, service: Service) -> None:
        pack = upload(service, visibility="community")

        assert listed(service, pack["id"], GLOBEX).status == 200
        assert read(service, pack["id"], "scripts/run.sh", GLOBEX).body == FILES["scripts/run.sh"]

    def test_a_clone_is_read_by_the_index_of_what_it_was_cloned_from(self, service: Service) -> None:
        pack = upload(service, visibility="community")
        clone = service.send("clone_pack", "POST", f"/packs/{pack['id']}/clone", caller=GLOBEX, json={})
        assert clone.status == 201, clone.body
        service.registry.requests.clear()

        assert read(service, clone.body["id"], "data/noise.bin", GLOBEX).body == NOISE
        assert len(service.registry.requests) == 1


class TestWhatIsLost:
    def test_a_lost_index_is_made_again_from_the_layer(self, service: Service) -> None:
        pack = upload(service)
        before = listed(service, pack["id"])
        assert forget_indexes(service) == 1
        service.registry.requests.clear()

        assert listed(service, pack["id"]).json == before.json
        assert len(service.registry.requests) == 3, "an index, a manifest, and the layer"
        service.registry.requests.clear()
        assert read(service, pack["id"], "data/noise.bin").body == NOISE
        assert len(service.registry.requests) == 1

    @pytest.mark.parametrize("damage", [b"", b"nonsense", bytes(17 << 20)], ids=["empty", "nonsense", "huge"])
    def test_a_damaged_index_is_as_good_as_none(self, service: Service, damage: bytes) -> None:
        pack = upload(service)
        (key,) = (key for key in service.aws.objects() if key.startswith("indexes/"))
        service.aws.s3.put_object(Bucket=BUCKET, Key=key, Body=damage)

        assert read(service, pack["id"], "data/small.bin").body == FILES["data/small.bin"]
        assert service.aws.s3.get_object(Bucket=BUCKET, Key=key)["ContentLength"] not in (0, len(damage))

    def test_an_index_of_another_layer_is_found_out_and_replaced(self, service: Service) -> None:
        pack = upload(service)
        other = upload(
            service, {"data/small.bin": FILES["data/small.bin"], "guides/x.md": NOISE[:999]}, caller=GLOBEX
        )
        mine, theirs = (service.services.packs.get(found["id"]) for found in (pack, other))
        assert mine is not None
        assert theirs is not None
        assert mine.layer_digest is not None
        assert theirs.layer_digest is not None
        wrong = service.services.indexes.get(theirs.layer_digest)
        assert wrong is not None
        service.services.indexes.put(
            mine.layer_digest, replace(wrong, layers=(replace(wrong.layers[0], digest=mine.layer_digest),))
        )

        assert read(service, pack["id"], "data/small.bin").body == FILES["data/small.bin"]
        assert listed(service, pack["id"]).json["files"][0]["path"] == "data/empty"

    def test_a_publish_does_not_fail_for_want_of_an_index(self, service: Service) -> None:
        def refuse(**_: Any) -> None:
            raise service.aws.s3.exceptions.ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")

        def only_indexes(params: dict[str, Any], **_: Any) -> None:
            if params["Key"].startswith("indexes/"):
                refuse()

        service.aws.s3.meta.events.register("provide-client-params.s3.PutObject", only_indexes)

        pack = upload(service)

        assert read(service, pack["id"], "scripts/run.sh").body == FILES["scripts/run.sh"]

    def test_an_image_that_its_registry_lost_is_the_pack_s_fault(self, service: Service) -> None:
        pack = upload(service)
        service.registry.shelves.repositories.clear()

        answer = read(service, pack["id"], "scripts/run.sh")

        assert (answer.status, answer.code) == (400, "validation_error")
        assert answer.json["error"]["details"]["fields"].keys() == {"id"}


class TestRegistries:
    def test_one_that_knows_no_ranges_is_read_as_far_as_the_file_goes(self, service: Service) -> None:
        pack = upload(service)
        service.registry.moods.append(KnowsNoRanges(path="/blobs/"))

        for path, content in FILES.items():
            assert read(service, pack["id"], quoted(path)).body == content

    def test_one_that_keeps_its_blobs_elsewhere_is_followed_without_its_credential(
        self, service: Service
    ) -> None:
        pack = upload(service)
        with FakeRegistry() as storage:
            storage.shelves = service.registry.shelves
            service.registry.moods.append(Redirects(path="/blobs/", base_url=storage.url))

            assert read(service, pack["id"], "data/noise.bin").body == NOISE

        (request,) = storage.requests
        assert request.headers["Range"]
        assert request.headers["Authorization"] is None

    @pytest.mark.parametrize(
        "mood",
        [
            pytest.param(Refuses(path="/blobs/", status=503), id="down"),
            pytest.param(Refuses(path="/blobs/", status=500), id="broken"),
            pytest.param(CutsOff(path="/blobs/"), id="cuts off"),
            pytest.param(Garbles(path="/blobs/"), id="sends something else"),
            pytest.param(Refuses(path="/blobs/", status=206), id="a part of nothing"),
            pytest.param(
                Says(
                    path="/blobs/", status=206, headers=(("Content-Range", "bytes 0-9/10"),), body=b"0" * 10
                ),
                id="another part",
            ),
        ],
    )
    def test_one_that_fails_is_502(self, service: Service, mood: Any) -> None:
        pack = upload(service)
        service.registry.moods.append(mood)

        answer = read(service, pack["id"], "data/noise.bin")

        assert (answer.status, answer.code) == (502, "registry_unavailable")

    def test_a_moment_s_damage_is_read_again(self, service: Service) -> None:
        pack = upload(service)
        service.registry.moods.append(Garbles(path="/blobs/", times=1))

        assert read(service, pack["id"], "data/noise.bin").body == NOISE


class TestLargeFiles:
    LARGE = os.urandom(MAX_INLINE_BYTES + 1)

    def test_what_no_answer_can_carry_is_where_a_short_lived_url_says(self, service: Service) -> None:
        pack = upload(service, {"data/large.html": self.LARGE})

        answer = read(service, pack["id"], "data/large.html")

        query = parse_qs(urlsplit(answer.headers["Location"]).query)
        assert (answer.status, answer.body) == (302, b"")
        assert fetched(service, answer) == self.LARGE
        assert query["response-content-type"] == ["application/octet-stream"]
        assert query["response-content-disposition"] == ["attachment; filename*=UTF-8''large.html"]

    def test_it_is_read_from_the_registry_once(self, service: Service) -> None:
        pack = upload(service, {"data/large": self.LARGE})
        first = read(service, pack["id"], "data/large")
        service.registry.requests.clear()

        again = read(service, pack["id"], "data/large")

        assert (first.status, again.status) == (302, 302)
        assert service.registry.requests == []

    def test_nothing_is_offered_that_has_not_been_checked(self, service: Service) -> None:
        pack = upload(service, {"data/large": self.LARGE})
        service.registry.moods.append(Garbles(path="/blobs/"))

        answer = read(service, pack["id"], "data/large")

        assert answer.status == 502
        assert [key for key in service.aws.objects() if key.startswith("files/")] == []

    def test_a_large_text_keeps_its_type(self, service: Service) -> None:
        pack = upload(service, {"guides/long.md": b"# long\n" * 700_000})

        answer = read(service, pack["id"], "guides/long.md")

        assert "text%2Fmarkdown" in answer.headers["Location"]

    def test_a_text_that_would_not_fit_once_it_is_escaped_is_sent_as_bytes(self, service: Service) -> None:
        content = b"\n" * (MAX_INLINE_BYTES - 1)
        pack = upload(service, {"guides/lines.md": content})

        answer = read(service, pack["id"], "guides/lines.md")

        assert (answer.status, answer.body) == (200, content)
        assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"

    def test_a_list_that_is_too_long_for_an_answer_is_elsewhere_too(self, service: Service) -> None:
        deep = "/".join("d" * 200 for _ in range(4))
        pack = upload(service, {f"data/{deep}/{number}": b"" for number in range(6000)})

        answer = listed(service, pack["id"])

        assert answer.status == 302
        assert len(json.loads(fetched(service, answer))["files"]) == 6001


class TestRefusals:
    @pytest.mark.parametrize("function", ["list_files", "get_file"])
    def test_without_a_credential_there_is_nothing(self, service: Service, function: str) -> None:
        answer = ask(service, function, UNKNOWN, "x", None)

        assert (answer.status, answer.code) == (401, "unauthenticated")

    @pytest.mark.parametrize("function", ["list_files", "get_file"])
    @pytest.mark.parametrize("pack_id", [UNKNOWN, "x"])
    def test_a_pack_that_is_not_there_is_404(self, service: Service, function: str, pack_id: str) -> None:
        answer = ask(service, function, pack_id, "x")

        assert (answer.status, answer.code) == (404, "pack_not_found")

    @pytest.mark.parametrize("function", ["list_files", "get_file"])
    def test_another_organisation_s_own_pack_is_as_good_as_none(
        self, service: Service, function: str
    ) -> None:
        pack = upload(service)

        answer = ask(service, function, pack["id"], "scripts/run.sh", GLOBEX)

        assert (answer.status, answer.code) == (404, "pack_not_found")

    @pytest.mark.parametrize(
        "path", ["nothing", "data", "data/none", "pack.yaml/x", "PACK.YAML", "u%CC%88.md"]
    )
    def test_a_file_that_is_not_there_is_404(self, service: Service, path: str) -> None:
        pack = upload(service)

        answer = read(service, pack["id"], path)

        assert (answer.status, answer.code) == (404, "file_not_found")

    @pytest.mark.parametrize(
        "path",
        [
            "..",
            "a/../b",
            "%2e%2e/x",
            ".",
            "",
            "a//b",
            "a/",
            "/a",
            "a%2Fb",
            "a%00b",
            "%ff",
            "100%",
            "%zz",
            "x" * 20_000,
        ],
    )
    def test_a_path_that_is_none_is_400(self, service: Service, path: str) -> None:
        pack = upload(service)

        answer = read(service, pack["id"], path)

        assert (answer.status, answer.code) == (400, "validation_error")
        assert answer.json["error"]["details"]["fields"].keys() == {"path"}

    def test_a_path_is_decoded_once(self, service: Service) -> None:
        pack = upload(service, {"data/50%25": b"twice", "data/50%": b"once"})

        assert read(service, pack["id"], "data/50%25").body == b"once"
        assert read(service, pack["id"], "data/50%2525").body == b"twice"


class TestContentTypes:
    @pytest.mark.parametrize(
        ("path", "text", "expected"),
        [
            ("guides/a.md", True, "text/markdown; charset=utf-8"),
            ("pack.yaml", True, "application/yaml"),
            ("data/a.JSON", True, "application/json"),
            ("scripts/run.sh", True, "text/plain; charset=utf-8"),
            ("LICENSE", True, "text/plain; charset=utf-8"),
            ("data/page.html", True, "text/plain; charset=utf-8"),
            ("data/drawing.svg", True, "text/plain; charset=utf-8"),
            ("data/a.xml", True, "text/plain; charset=utf-8"),
            ("data/not-really.md", False, "application/octet-stream"),
            ("data/not-really.html", False, "application/octet-stream"),
            ("data/picture.png", False, "image/png"),
            ("data/text.png", True, "text/plain; charset=utf-8"),
        ],
    )
    def test_a_type_is_what_the_name_says_as_far_as_the_content_bears_it_out(
        self, path: str, text: bool, expected: str
    ) -> None:
        assert content_type(path, text=text) == expected

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            pytest.param("Grüße\t\r\n\f".encode(), "text/plain; charset=utf-8", id="text"),
            pytest.param(b"", "text/plain; charset=utf-8", id="nothing"),
            pytest.param(b"\xff\xfe", "application/octet-stream", id="not UTF-8"),
            pytest.param("ü".encode()[:1], "application/octet-stream", id="half a character"),
            pytest.param(b"a\0b", "application/octet-stream", id="a NUL"),
        ],
    )
    def test_what_text_is(self, service: Service, content: bytes, expected: str) -> None:
        pack = upload(service, {"data/x": content})

        assert read(service, pack["id"], "data/x").headers["Content-Type"] == expected

    def test_nothing_is_run_by_a_browser(self, service: Service) -> None:
        pack = upload(service)

        headers = read(service, pack["id"], "data/page.html").headers

        assert headers["Content-Type"] == "text/plain; charset=utf-8"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''page.html"
        assert "sandbox" in headers["Content-Security-Policy"]


LOWER = (("pack.yaml", PACK_YAML), ("guides/a.md", b"a"), ("guides/b.md", b"b"), ("gone.md", b"x"))
UPPER = (("guides/a.md", b"A!"), (".wh.gone.md", b""))
FORMS: dict[str, tuple[ForeignImage, int]] = {
    "gzip layers": (image(layer(*LOWER), layer(*UPPER)), 1),
    "plain layers": (
        image(*(Blob(tar(*members), "application/vnd.oci.image.layer.v1.tar") for members in (LOWER, UPPER))),
        1,
    ),
    "docker's": (image(layer(*LOWER), layer(*UPPER), docker=True), 1),
}


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    ".tar": bytes,
    ".tar+gzip": gzip.compress,
    ".tar+zstd": zstd.compress,
}


def hard(name: str, target: str) -> tarfile.TarInfo:
    return named(name, type=tarfile.LNKTYPE, linkname=target)


class TestForeignImages:
    @pytest.fixture
    def elsewhere(self) -> Iterator[FakeRegistry]:
        with FakeRegistry() as registry:
            yield registry

    def register(self, service: Service, elsewhere: FakeRegistry, what: ForeignImage, **more: Any) -> str:
        what.shelve(elsewhere.shelves.repository("team/slack", create=True), "1")
        reference = f"{urlsplit(elsewhere.url).netloc}/team/slack:1"
        created = service.send("create_pack", "POST", "/packs", json={"image_ref": reference, **more})
        assert created.status == 201, created.body
        return str(created.body["id"])

    @pytest.mark.parametrize(("what", "requests"), FORMS.values(), ids=FORMS.keys())
    def test_the_first_reader_reads_the_layers_and_leaves_an_index_to_the_next(
        self, service: Service, elsewhere: FakeRegistry, what: ForeignImage, requests: int
    ) -> None:
        pack_id = self.register(service, elsewhere, what)
        elsewhere.requests.clear()

        files = listed(service, pack_id).json["files"]

        assert [(file["path"], file["size"]) for file in files] == [
            ("guides/a.md", 2),
            ("guides/b.md", 1),
            ("pack.yaml", len(PACK_YAML)),
        ]
        assert len(elsewhere.requests) == 3, "a manifest and two layers"
        elsewhere.requests.clear()
        assert read(service, pack_id, "guides/a.md").body == b"A!"
        assert read(service, pack_id, "guides/b.md").body == b"b"
        assert len(elsewhere.requests) == 2 * requests

    @pytest.mark.parametrize("form", COMPRESSIONS)
    def test_hard_links_are_listed_and_read_as_the_files_that_they_name(
        self, service: Service, elsewhere: FakeRegistry, form: str
    ) -> None:
        """As in OSTree's images, where every file is a link to its content (mondoohq/mql PR #10482)."""
        compress = COMPRESSIONS[form]
        lower = (("objects/1", PACK_YAML), ("objects/2", b"guide"), hard("pack.yaml", "objects/1"))
        upper = (hard("guides/a.md", "/objects/2"), hard("guides/b.md", "guides/a.md"), (".wh.objects", b""))
        made = image(
            *(
                Blob(compress(tar(*members)), f"application/vnd.oci.image.layer.v1{form}")
                for members in (lower, upper)
            )
        )

        pack_id = self.register(service, elsewhere, made)

        sizes = {file["path"]: file["size"] for file in listed(service, pack_id).json["files"]}
        assert sizes == {"guides/a.md": 5, "guides/b.md": 5, "pack.yaml": len(PACK_YAML)}
        assert read(service, pack_id, "guides/b.md").body == b"guide"
        assert read(service, pack_id, "pack.yaml").body == PACK_YAML

    def test_of_a_plain_layer_only_the_file_s_bytes_are_fetched(
        self, service: Service, elsewhere: FakeRegistry
    ) -> None:
        pack_id = self.register(service, elsewhere, FORMS["plain layers"][0])
        listed(service, pack_id)
        elsewhere.requests.clear()

        read(service, pack_id, "guides/b.md")

        ((_, wanted),) = asked(elsewhere)
        start, end = (wanted or "").removeprefix("bytes=").split("-")
        assert start == end

    def test_a_layer_that_is_not_of_its_digest_is_not_believed(
        self, service: Service, elsewhere: FakeRegistry
    ) -> None:
        pack_id = self.register(service, elsewhere, FORMS["gzip layers"][0])
        elsewhere.moods.append(Garbles(path="/blobs/"))

        answer = listed(service, pack_id)

        assert (answer.status, answer.code) == (502, "registry_unavailable")
        assert [key for key in service.aws.objects() if key.startswith("indexes/")] == []

    def test_an_image_that_cannot_be_read_is_a_fault_of_the_pack(
        self, service: Service, elsewhere: FakeRegistry
    ) -> None:
        broken = image(Blob(b"no tar" * 100), layer(("pack.yaml", PACK_YAML)))
        pack_id = self.register(service, elsewhere, broken)

        answer = listed(service, pack_id)

        assert answer.status == 400
        assert answer.json["error"]["details"]["fields"] == {
            "id": "its image has a layer that is not a readable tar"
        }

    def test_its_index_is_kept_for_its_reader_by_the_digest_that_pins_it(
        self, service: Service, elsewhere: FakeRegistry
    ) -> None:
        pack_id = self.register(service, elsewhere, FORMS["gzip layers"][0])
        listed(service, pack_id)

        pinned = Digest(service.get(pack_id).body["image_digest"])

        assert index_key(pinned, reader=ACME.org_id) in service.aws.objects()


def test_the_files_of_an_earlier_revision_are_those_that_it_had(service: Service) -> None:
    pack_id = service.upload(PackArchive(name="slack").build()).body["id"]
    path = f"/packs/{pack_id}/files"
    before = service.send("list_files", "GET", path)
    put = Request(
        method="PUT",
        resource=f"{path}/guides/new.md",
        path=f"{path}/guides/new.md",
        body=b"# New\n",
        caller=ACME,
    )
    assert service.request("put_file", put).status == 200

    now = service.send("list_files", "GET", path, query={"revision": "2"}).body
    then = service.send("list_files", "GET", path, query={"revision": "1"}).body

    assert then == before.body
    assert {file["path"] for file in now["files"]} - {file["path"] for file in then["files"]} == {
        "guides/new.md"
    }


def test_the_files_of_a_revision_that_others_may_not_see_are_hidden_from_them(service: Service) -> None:
    pack_id = service.upload(PackArchive(name="slack").build()).body["id"]
    service.send("update_pack", "PATCH", f"/packs/{pack_id}", json={"visibility": "community"})

    hidden = service.send(
        "list_files", "GET", f"/packs/{pack_id}/files", caller=GLOBEX, query={"revision": "1"}
    )
    shown = service.send(
        "list_files", "GET", f"/packs/{pack_id}/files", caller=GLOBEX, query={"revision": "2"}
    )

    assert (hidden.status, hidden.body["error"]["code"], shown.status) == (404, "revision_not_found", 200)


def test_a_file_of_an_earlier_revision_is_read_as_it_was(service: Service) -> None:
    pack_id = service.upload(PackArchive(name="slack", files={"README.md": b"# Then\n"}).build()).body["id"]
    changed = Request(
        method="PUT",
        resource=f"/packs/{pack_id}/files/README.md",
        path=f"/packs/{pack_id}/files/README.md",
        body=b"# Now\n",
        caller=ACME,
    )
    assert service.request("put_file", changed).status == 200

    def read(revision: str) -> dict[str, Any]:
        path = f"/packs/{pack_id}/files/README.md"
        request = Request(method="GET", resource=path, path=path, caller=ACME, query={"revision": revision})
        answer: dict[str, Any] = service.invoke("get_file", request.event())
        return answer

    assert [read(revision)["body"] for revision in ("1", "2")] == ["# Then\n", "# Now\n"]
    assert json.loads(read("3")["body"])["error"]["code"] == "revision_not_found"
    assert set(json.loads(read("first")["body"])["error"]["details"]["fields"]) == {"revision"}


def test_a_file_of_a_revision_that_others_may_not_see_is_hidden_from_them(service: Service) -> None:
    pack_id = service.upload(PackArchive(name="slack").build()).body["id"]
    service.send("update_pack", "PATCH", f"/packs/{pack_id}", json={"visibility": "community"})
    path = f"/packs/{pack_id}/files/pack.yaml"

    def status(revision: str) -> int:
        request = Request(method="GET", resource=path, path=path, caller=GLOBEX, query={"revision": revision})
        return int(service.invoke("get_file", request.event())["statusCode"])

    assert [status(revision) for revision in ("1", "2")] == [404, 200]
