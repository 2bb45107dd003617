"""What is read from images of every shape, over HTTP from a registry that behaves."""

import gzip
import lzma
import tarfile
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from backports import zstd
from tests.fake_registry.moods import Calls
from tests.fake_registry.server import FakeRegistry
from tests.fake_registry.shelves import Repository
from tests.image_sources import LOOPBACK, image_source, not_there, pull
from tests.third_party_images import (
    DOCKER_LAYER,
    PACK_YAML,
    Blob,
    ForeignImage,
    image,
    index,
    layer,
    named,
    pack_image,
    shelve,
    tar,
)
from tests.trees import SMALL_TREE, lay

from packyard.errors import InvalidRequest
from packyard.oci.build.image import build_image
from packyard.oci.build.layer import LayerSpool
from packyard.oci.document import Document
from packyard.oci.media_types import CONFIG, DOCKER_MANIFEST, MANIFEST
from packyard.registry.credentials import Anonymous
from packyard.registry.third_party import source_factory as factory
from packyard.registry.third_party.pull import OwnRegistry, PulledPack
from packyard.registry.third_party.pull_credentials import ThirdPartyCredentials

BASE = layer(("etc/passwd", b"root"), ("pack.yaml", b"name: base\nversion: 0.0.1\n"))
PACK = layer(("pack.yaml", PACK_YAML))
README = layer(("README.md", b"# Slack\n"))
PLAIN = Blob(tar(("pack.yaml", PACK_YAML)), "application/vnd.oci.image.layer.v1.tar")
ZSTD = Blob(zstd.compress(tar(("pack.yaml", PACK_YAML))), "application/vnd.oci.image.layer.v1.tar+zstd")
# What the type says is wrong as often as not.
MISLABELLED = Blob(zstd.compress(tar(("pack.yaml", PACK_YAML))), DOCKER_LAYER)


@pytest.fixture
def shelf(fake: FakeRegistry) -> Repository:
    return fake.shelves.repository("acme/slack", create=True)


def read(fake: FakeRegistry, target: str = ":latest") -> PulledPack:
    return pull(image_source(trusted=LOOPBACK), name(fake, target))


def name(fake: FakeRegistry, target: str = ":latest") -> str:
    return f"{fake.url.removeprefix('http://')}/acme/slack{target}"


def refusal(fake: FakeRegistry, target: str = ":latest") -> dict[str, str]:
    with pytest.raises(InvalidRequest) as refused:
        read(fake, target)
    return refused.value.fields


def hard(name: str, target: str) -> tarfile.TarInfo:
    return named(name, type=tarfile.LNKTYPE, linkname=target)


SLACK: dict[str, ForeignImage] = {
    "one-layer": image(PACK),
    "a-hard-link": image(layer(("a", PACK_YAML), hard("pack.yaml", "a"))),
    "a-chain-of-hard-links": image(layer(("a", PACK_YAML), hard("b", "a"), hard("pack.yaml", "b"))),
    "a-hard-link-to-a-lower-layer": image(layer(("a", PACK_YAML)), README, layer(hard("pack.yaml", "a"))),
    # anchore/stereoscope #486.
    "zstd-of-docker": image(
        Blob(ZSTD.content, "application/vnd.docker.image.rootfs.diff.tar.zstd"), docker=True
    ),
    "of-a-type-that-says-nothing": image(Blob(PACK.content, "application/octet-stream")),
    "of-docker": image(layer(("pack.yaml", PACK_YAML), media_type=DOCKER_LAYER), docker=True),
    "plain": image(PLAIN),
    "zstd": image(ZSTD),
    "mislabelled": image(MISLABELLED),
    "below-others": image(PACK, README, layer(), README),
    "over-another": image(BASE, PACK),
    "over-what-a-whiteout-hides": image(BASE, layer((".wh.pack.yaml", b"")), PACK),
    "beside-an-opaque-whiteout": image(BASE, layer((".wh..wh..opq", b""), ("pack.yaml", PACK_YAML))),
    "below-another-s-whiteout": image(PACK, layer((".wh.README.md", b""), ("guides/.wh..wh..opq", b""))),
    "over-layers-that-nobody-can-read": image(Blob(b"\x1f\x8b\x08garbage"), PACK),
}


@pytest.mark.parametrize("made", SLACK.values(), ids=SLACK)
def test_a_pack_is_read_from_an_image(fake: FakeRegistry, shelf: Repository, made: ForeignImage) -> None:
    digest = made.shelve(shelf, "latest")

    pulled = read(fake)

    assert (pulled.manifest.name, pulled.manifest.version) == ("slack", "1.4.0")
    assert (pulled.digest, pulled.size_bytes) == (digest, made.size_bytes)


def test_layers_below_the_deciding_one_are_not_requested(fake: FakeRegistry, shelf: Repository) -> None:
    image(BASE, PACK, README).shelve(shelf, "latest")

    read(fake)

    assert [request.path.rpartition("/")[2] for request in fake.requests] == [
        "latest",
        README.descriptor()["digest"],
        PACK.descriptor()["digest"],
    ]


def test_what_we_have_built_is_read_back(fake: FakeRegistry, shelf: Repository) -> None:
    with LayerSpool() as spool:
        built = lay(spool, SMALL_TREE)
        ours = build_image(layers=[built], title="slack", version="1.4.0")
        shelf.blobs[built.digest] = b"".join(built.chunks())
    for document in (*ours.manifests, ours.index):
        shelve(shelf, document, "latest")

    pulled = read(fake)

    assert (pulled.digest, pulled.size_bytes) == (ours.index.digest, ours.size_bytes)


class TestReferences:
    def test_a_digest_is_read_whatever_the_tag_names(self, fake: FakeRegistry, shelf: Repository) -> None:
        digest = pack_image().shelve(shelf, "old")
        pack_image(b"name: slack\nversion: 2.0.0\n").shelve(shelf, "latest")

        assert read(fake, f"@{digest}").manifest.version == "1.4.0"
        assert read(fake, f":latest@{digest}").manifest.version == "1.4.0"
        assert read(fake).manifest.version == "2.0.0"

    @pytest.mark.parametrize("target", [":absent", f"@sha256:{'0' * 64}", "/deeper:latest"])
    def test_what_is_not_there_does_not_exist(
        self, fake: FakeRegistry, shelf: Repository, target: str
    ) -> None:
        pack_image().shelve(shelf, "latest")

        assert refusal(fake, target) == not_there(name(fake, target))

    def test_a_blob_that_is_not_there_is_named(self, fake: FakeRegistry, shelf: Repository) -> None:
        pack_image().shelve(shelf, "latest")
        shelf.blobs.clear()

        assert refusal(fake) == not_held(pack_image().layers[0].descriptor()["digest"])


class TestIndexes:
    @pytest.mark.parametrize("docker", [False, True], ids=["oci", "docker"])
    def test_the_pin_is_the_index_and_the_size_the_chosen_image_s(
        self, fake: FakeRegistry, shelf: Repository, *, docker: bool
    ) -> None:
        wanted = image(PACK, docker=docker)
        arm = image(BASE, docker=docker)
        made = index((arm.manifest, "linux/arm64"), (wanted.manifest, "linux/amd64"), docker=docker)
        arm.shelve(shelf)
        wanted.shelve(shelf)
        digest = shelve(shelf, made, "latest")

        pulled = read(fake)

        assert (pulled.digest, pulled.size_bytes) == (digest, wanted.size_bytes)
        assert pulled.manifest.name == "slack"

    def test_an_index_may_lie_in_an_index(self, fake: FakeRegistry, shelf: Repository) -> None:
        pack_image().shelve(shelf)
        inner = index((pack_image().manifest, "linux/amd64"))
        shelve(shelf, inner)
        shelve(shelf, index((inner, None)), "latest")

        assert read(fake).manifest.name == "slack"

    def test_and_that_in_another(self, fake: FakeRegistry, shelf: Repository) -> None:
        pack_image().shelve(shelf)
        made = pack_image().manifest
        for _ in range(3):
            made = index((made, "linux/amd64"))
            shelve(shelf, made)
        shelve(shelf, made, "latest")

        pulled = read(fake)

        assert (pulled.digest, pulled.size_bytes) == (made.digest, pack_image().size_bytes)

    @pytest.mark.parametrize("depth", [4, 10])
    def test_indexes_nested_too_deeply_are_refused(
        self, fake: FakeRegistry, shelf: Repository, depth: int
    ) -> None:
        pack_image().shelve(shelf)
        made = pack_image().manifest
        for _ in range(depth):
            made = index((made, "linux/amd64"))
            shelve(shelf, made)
        shelve(shelf, made, "latest")

        assert refusal(fake) == {"image_ref": "has indexes nested deeper than 3"}
        assert len(fake.requests) == 4

    def test_a_manifest_that_an_index_carries_along_is_fetched_all_the_same(
        self, fake: FakeRegistry, shelf: Repository
    ) -> None:
        made = index((pack_image().manifest, "linux/amd64"), data="bm90IGxvb2tlZCBhdA==")
        shelve(shelf, made, "latest")

        assert refusal(fake) == not_held(pack_image().manifest.digest)

    def test_an_index_that_states_a_wrong_size_is_refused(
        self, fake: FakeRegistry, shelf: Repository
    ) -> None:
        pack_image().shelve(shelf)
        entry = pack_image().manifest.descriptor() | {"size": 1}
        shelve(shelf, index(manifests=[entry]), "latest")

        assert refusal(fake) == {"image_ref": "has an index that states wrong sizes"}


NO_PACK = {"image_ref": "has no pack.yaml at its root (/pack.yaml), where it has to be"}
REFUSED: dict[str, tuple[ForeignImage, dict[str, str]]] = {
    "no-layers": (image(), NO_PACK),
    "no-pack": (image(README), NO_PACK),
    "a-pack-deeper-down": (
        image(layer(("slack/pack.yaml", PACK_YAML)), README, layer(("pack.yml", PACK_YAML))),
        {"image_ref": "has no pack.yaml at its root, where it has to be; it has pack.yml, slack/pack.yaml"},
    ),
    "a-whiteout": (image(PACK, layer((".wh.pack.yaml", b""))), NO_PACK),
    "an-opaque-whiteout": (image(PACK, layer((".wh..wh..opq", b"")), README), NO_PACK),
    "a-symbolic-link": (
        image(PACK, layer(named("pack.yaml", type=b"2", linkname="x"))),
        {"image_ref": "has a pack.yaml that is not a regular file; put a copy of the file there"},
    ),
    "a-hard-link-to-nothing": (
        image(PACK, layer(hard("pack.yaml", "x\x01"))),
        {"image_ref": r"has a pack.yaml that is a hard link to 'x\x01', which is no file of the image"},
    ),
    "a-chain-of-many-hard-links": (
        image(layer(("0", PACK_YAML), *(hard(str(n + 1), str(n)) for n in range(9)), hard("pack.yaml", "9"))),
        {"image_ref": "has a pack.yaml that is a chain of over 8 hard links"},
    ),
    "a-layer-of-xz": (
        image(
            Blob(lzma.compress(tar(("pack.yaml", PACK_YAML))), "application/vnd.oci.image.layer.v1.tar+xz")
        ),
        {"image_ref": "has a layer compressed with xz; push it again with gzip or zstd"},
    ),
    "a-layer-that-is-no-tar": (
        image(Blob(gzip.compress(b"x" * 1000))),
        {"image_ref": "has a layer that is not a readable tar"},
    ),
    "a-layer-that-is-cut-off-but-of-its-digest": (
        image(Blob(PACK.content[:40])),
        {"image_ref": "has a layer whose compression is corrupt"},
    ),
    "a-layer-that-states-it-is-longer": (
        image(layer(("pack.yaml", PACK_YAML), states={"size": len(PACK.content) + 1})),
        {"image_ref": "has a manifest that states wrong sizes"},
    ),
    "a-gzip-bomb": (
        image(layer(("zeros", bytes(8 << 20)))),
        {"image_ref": f"has a layer that unpacks to more than {4 << 20} bytes"},
    ),
    "a-zstd-bomb": (
        image(Blob(zstd.compress(tar(("zeros", bytes(8 << 20)))))),
        {"image_ref": f"has a layer that unpacks to more than {4 << 20} bytes"},
    ),
    "layers-too-large-to-look-into": (
        image(PACK, layer(states={"size": 2 << 20})),
        {"image_ref": f"has no pack.yaml in its topmost {1 << 20} bytes of layers"},
    ),
    "a-foreign-layer": (
        image(
            layer(
                media_type="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                states={"urls": ["http://169.254.169.254/"]},
            ),
            PACK,
        ),
        {
            "image_ref": "has a layer that its registry does not hold (a foreign layer, as Windows images have "
            "them); build it without one, for instance FROM scratch"
        },
    ),
    "a-pack-that-is-not-valid": (
        image(layer(("pack.yaml", b"name: Slack\nversion: '1'\n"))),
        {
            "pack.yaml:name": "must be lower-case letters and digits, joined by single hyphens, such as slack",
            "pack.yaml:version": "must be three numbers joined by dots: write 1.0.0 (SemVer 2.0.0)",
        },
    ),
    "a-pack-that-is-too-large": (
        image(layer(("pack.yaml", b"#" * (300 << 10)))),
        {"pack.yaml": f"must be at most {256 << 10} bytes; move long texts into guides/"},
    ),
}


def not_held(digest: str) -> dict[str, str]:
    reason = f"names {digest}, which its registry does not hold; push the image again, with all its platforms"
    return {"image_ref": reason}


class TestRegistriesThatSayLittle:
    """Satellite, Pulp and static web servers (softprops/dkregistry-rs PR #113)."""

    @pytest.mark.parametrize(
        "content_type", [None, "application/json; charset=utf-8", "text/plain", "text/html"]
    )
    def test_a_document_is_read_whatever_it_is_called(
        self, fake: FakeRegistry, shelf: Repository, content_type: str | None
    ) -> None:
        pack_image().shelve(shelf)
        digest = shelve(shelf, index((pack_image().manifest, "linux/amd64")), "latest")
        fake.moods.append(Calls(path="/manifests/", content_type=content_type))

        assert read(fake).digest == digest

    def test_unless_that_contradicts_it(self, fake: FakeRegistry, shelf: Repository) -> None:
        pack_image().shelve(shelf, "latest")
        fake.moods.append(Calls(path="/manifests/", content_type=DOCKER_MANIFEST))

        assert "states another type" in refusal(fake)["image_ref"]


class TestArtifactsInIndexes:
    def artifact(self, number: int = 0) -> Document:
        descriptor = Blob(b"{}", "application/vnd.oci.empty.v1+json").descriptor()
        body = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor,
            "annotations": {"n": str(number)},
        }
        layers = [descriptor | {"mediaType": "application/vnd.cyclonedx+json"}]
        return Document.of(MANIFEST, body | {"layers": layers})

    def test_one_that_passes_for_the_image_is_passed_over(
        self, fake: FakeRegistry, shelf: Repository
    ) -> None:
        """As SOCI and SBOM tools list them: with the platform of the image, and without a type of their own."""
        pack_image().shelve(shelf)
        sbom = self.artifact()
        shelve(shelf, sbom)
        listed = index((sbom, "linux/amd64"), (pack_image().manifest, "linux/arm64"))
        digest = shelve(shelf, listed, "latest")

        pulled = read(fake)

        assert (pulled.digest, pulled.manifest.name) == (digest, "slack")

    def test_so_is_an_index_of_nothing_else(self, fake: FakeRegistry, shelf: Repository) -> None:
        pack_image().shelve(shelf)
        inner = index((self.artifact(), None))
        for document in (self.artifact(), inner):
            shelve(shelf, document)
        shelve(shelf, index((inner, "linux/amd64"), (pack_image().manifest, None)), "latest")

        assert read(fake).manifest.name == "slack"

    def test_an_index_of_nothing_else_says_what_it_has(self, fake: FakeRegistry, shelf: Repository) -> None:
        shelve(shelf, self.artifact())
        shelve(shelf, index((self.artifact(), "unknown/unknown")), "latest")

        assert refusal(fake) == {
            "image_ref": "is an index that names no image: its first entry is a bill of materials, not an image"
        }

    def test_not_more_than_eight_are_looked_at(self, fake: FakeRegistry, shelf: Repository) -> None:
        pack_image().shelve(shelf)
        listed = [self.artifact(number) for number in range(9)]
        for document in listed:
            shelve(shelf, document)
        entries = [
            *((document, "linux/amd64") for document in listed),
            (pack_image().manifest, "linux/s390x"),
        ]
        shelve(shelf, index(*entries), "latest")

        assert "names no image" in refusal(fake)["image_ref"]
        assert len(fake.requests) == 9

    def test_a_platform_that_was_not_pushed_is_named(self, fake: FakeRegistry, shelf: Repository) -> None:
        """A sparse index, as mirrors make that copy some platforms only."""
        pack_image().shelve(shelf)
        absent = image(README).manifest
        shelve(shelf, index((pack_image().manifest, "linux/arm64"), (absent, "linux/amd64")), "latest")

        assert refusal(fake) == not_held(absent.digest)


@pytest.mark.parametrize(("made", "fields"), REFUSED.values(), ids=REFUSED)
def test_an_image_without_a_pack_that_we_can_read_is_refused(
    fake: FakeRegistry, shelf: Repository, made: ForeignImage, fields: dict[str, str]
) -> None:
    made.shelve(shelf, "latest")

    assert refusal(fake) == fields


def test_no_url_of_a_foreign_layer_is_followed(fake: FakeRegistry, shelf: Repository) -> None:
    states: dict[str, Any] = {"urls": [f"{fake.url}/elsewhere"]}
    kind = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    image(layer(media_type=kind, states=states)).shelve(shelf, "latest")

    refusal(fake)

    assert [request.path for request in fake.requests] == ["/v2/acme/slack/manifests/latest"]


def test_what_the_factory_makes_reads_over_this_machine_s_network(
    fake: FakeRegistry, shelf: Repository
) -> None:
    pack_image().shelve(shelf, "latest")
    source = factory.image_source(
        own=OwnRegistry(url="https://own.test", credential=Anonymous(), prefix="packs"),
        trusted=LOOPBACK,
        credentials=ThirdPartyCredentials(
            load=lambda: "{}", ecr_token=lambda _region: Anonymous(), clock=lambda: datetime.now(UTC)
        ),
        manifest_bytes=20,
        monotonic=time.monotonic,
        time_left=lambda: 900,
    )

    with pytest.raises(InvalidRequest) as refused:
        pull(source, f"{fake.url.removeprefix('http://')}/acme/slack")
    assert refused.value.fields == {"pack.yaml": "must be at most 20 bytes; move long texts into guides/"}


def test_the_config_is_not_needed(fake: FakeRegistry, shelf: Repository) -> None:
    made = pack_image()
    made.shelve(shelf, "latest")
    del shelf.blobs[made.config.descriptor()["digest"]]
    assert made.config.media_type == CONFIG

    assert read(fake).manifest.name == "slack"
