"""A whole large archive that is sent again: what stands of the old image is neither compressed, made nor sent."""

import gzip
import io
import json
import random
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from tests import staged_uploads
from tests.aws import BUCKET
from tests.changes import change
from tests.engine.taps import Killed, Log, crash_at
from tests.service import ACME, DEADLINE, GLOBEX, Service, running_service
from tests.small_layers import shrink_layers

from packyard.oci.build import layer, new_content
from packyard.oci.build.compression import compress_piece
from packyard.oci.build.header_writer import BLOCK, padding
from packyard.oci.build.image import Image
from packyard.oci.digest import Digest
from packyard.oci.read.file_index import FileIndex, IndexedLayer, index_of_layers
from packyard.operations import publish, standing_pack
from packyard.operations.built_pack import BuiltPack, building
from packyard.operations.published import Published
from packyard.operations.standing_pack import StandingPack
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.pack import Pack, Visibility

if TYPE_CHECKING:
    from packyard.operations.image_files import ImageFiles

REPOSITORY = f"packs/{ACME.org_id}/slack"
DICE = random.Random(13)  # noqa: S311 - the same each time
Tree = Mapping[str, bytes]
MANIFEST = b"name: slack\nversion: 1.4.0\n"
FILES: dict[str, bytes] = {"pack.yaml": MANIFEST} | {
    f"{top}/{number % 7}/{number}.md": DICE.randbytes(400) * DICE.randrange(1, 12)
    for number, top in enumerate(["guides", "data", "data", "skills"] * 30)
}
CHANGED = sorted(FILES)[60]
OTHER = sorted(FILES)[12]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    shrink_layers(monkeypatch)
    monkeypatch.setattr(publish, "_LARGE_ARCHIVE", 0)
    monkeypatch.setattr(standing_pack, "_WORTH_BYTES", 0)
    with running_service() as running:
        yield running


def archive(
    tree: Tree,
    *,
    links: Mapping[str, str] | None = None,
    executables: frozenset[str] = frozenset(),
    top: str = "",
) -> bytes:
    """Return a `.tar.gz`: of the files, then of hard links to them. A path that ends in a slash is a directory."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as written:
        for path, content in [*tree.items(), *((path, b"") for path in links or {})]:
            member = tarfile.TarInfo(top + path)
            member.type = tarfile.DIRTYPE if path.endswith("/") else tarfile.REGTYPE
            member.mode = 0o755 if path in executables else 0o644
            if links and path in links:
                member.type, member.linkname = tarfile.LNKTYPE, top + links[path]
            member.size = len(content)
            written.addfile(member, io.BytesIO(content))
    return gzip.compress(out.getvalue(), mtime=0)


def create(service: Service, sent: bytes, org: int = 0) -> Pack:
    """Build an archive as a new pack of an organisation that has none."""
    actor = replace(GLOBEX, org_id=f"{GLOBEX.org_id[:-4]}{org:04d}") if org else ACME
    return service.services.publisher.create(io.BytesIO(sent), visibility=Visibility.ORG, actor=actor).pack


def send_again(service: Service, pack: Pack, sent: bytes) -> Published:
    return service.services.publisher.replace(io.BytesIO(sent), pack_id=pack.id, actor=ACME)


def blobs(service: Service) -> dict[Digest, bytes]:
    return service.registry.shelves.repositories[REPOSITORY].blobs


def layers_of(service: Service, pack: Pack) -> list[Digest]:
    manifests = service.registry.shelves.repositories[REPOSITORY].manifests
    index = json.loads(manifests[pack.image_digest].raw)
    manifest = json.loads(manifests[index["manifests"][0]["digest"]].raw)
    return [Digest(found["digest"]) for found in manifest["layers"]]


def requests_of(service: Service, *methods: str) -> list[str]:
    return [request.path for request in service.registry.requests if request.method in methods]


class Compressed:
    """The pieces that are compressed from now on."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.pieces: list[bytes] = []

        def noted(raw: bytes) -> bytes:
            self.pieces.append(raw)
            return compress_piece(raw)

        patch.setattr("packyard.oci.build.layer.compress_piece", noted)

    def __contains__(self, content: bytes) -> bool:
        return content + padding(len(content)) in self.pieces


def test_of_an_archive_with_one_file_changed_that_file_is_compressed_and_its_layer_sent(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = create(service, archive(FILES))
    before = layers_of(service, pack)
    service.registry.requests.clear()
    compressed = Compressed(monkeypatch)

    after = send_again(service, pack, archive(FILES | {CHANGED: b"changed"})).pack

    new = [digest for digest in layers_of(service, after) if digest not in before]
    assert (len(before), len(new)) == (len(layers_of(service, after)), 1)
    assert len(before) > 5
    assert b"changed" in compressed
    assert [content for path, content in FILES.items() if content in compressed] == []
    # The old layer around the change is read.
    read = [path.rpartition("/")[2] for path in requests_of(service, "GET")]
    assert read == [digest for digest in before if digest not in layers_of(service, after)]
    # The layer, and a config for each platform.
    assert len(requests_of(service, "POST")) == len(requests_of(service, "HEAD")) == 3
    # Manifests, and the tag.
    assert len([path for path in requests_of(service, "PUT") if "/manifests/" in path]) == 4


REUPLOADS: dict[str, dict[str, Any]] = {
    "one file changed": {"tree": FILES | {CHANGED: b"changed"}},
    "a file added": {"tree": FILES | {"LICENSE": b"MIT"}},
    "a file gone": {"tree": {path: content for path, content in FILES.items() if path != CHANGED}},
    "a file executable": {"tree": FILES, "executables": frozenset({CHANGED})},
    "a folder renamed": {
        "tree": {path.replace("guides/1/", "guides/one/"): content for path, content in FILES.items()}
    },
    "two files exchanged": {"tree": FILES | {CHANGED: FILES[OTHER], OTHER: FILES[CHANGED]}},
    "a file in two places": {"tree": FILES | {"data/copy.md": FILES[CHANGED]}},
    "a new hard link to a file": {"tree": FILES, "links": {"data/link.md": CHANGED}},
    "an empty folder": {"tree": FILES | {"data/none/": b""}},
    "a folder around it": {"tree": FILES | {CHANGED: b""}, "top": "slack/"},
    "another version": {"tree": FILES | {"pack.yaml": MANIFEST.replace(b"1.4.0", b"1.5.0")}},
    "a file too large to be held": {"tree": FILES | {CHANGED: bytes(9000), OTHER: bytes(8999) + b"1"}},
    "hardly anything kept": {"tree": {"pack.yaml": MANIFEST, CHANGED: FILES[CHANGED]}},
    "nothing kept": {"tree": {"pack.yaml": MANIFEST + b"category: a\n"}},
}


class Blobs:
    """Stands for the reader of the old image's layers: they are here."""

    def __init__(self, image: Image) -> None:
        self.blobs = {
            built.digest: b"".join(built.chunks()) for built in image.layers if isinstance(built, layer.Layer)
        }

    @contextmanager
    def opened_layer(self, _pack: Pack, wanted: IndexedLayer) -> Iterator[Iterator[bytes]]:
        yield iter([self.blobs[wanted.digest]])


def built(sent: bytes, standing: StandingPack | None = None) -> AbstractContextManager[BuiltPack]:
    return building(
        io.BytesIO(sent),
        limits=ArchiveLimits(),
        begin_upload=lambda _: pytest.fail("nothing is large"),
        standing=standing,
    )


@pytest.mark.parametrize("sent", REUPLOADS.values(), ids=REUPLOADS)
def test_what_comes_out_is_what_a_first_build_makes(
    sent: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink_layers(monkeypatch)
    monkeypatch.setattr(new_content, "MAX_HELD_BYTES", 4000)
    with built(archive(FILES)) as old, built(archive(**sent)) as wanted:
        standing = StandingPack(
            pack=cast("Pack", SimpleNamespace(image_digest=old.image.index.digest)),
            index=index_of_layers(old.image.layers),
            files=cast("ImageFiles", Blobs(old.image)),
        )
        with built(archive(**sent), standing) as found:
            assert found.image.index == wanted.image.index
            assert index_of_layers(found.image.layers) == index_of_layers(wanted.image.layers)
            made = {made.digest for made in found.image.layers if isinstance(made, layer.Layer)}
            assert made.isdisjoint(stood.digest for stood in old.image.layers)


def test_a_manifest_that_is_a_hard_link_to_a_known_file_is_read(service: Service) -> None:
    tree = FILES | {"data/manifest.yaml": MANIFEST}
    pack = create(service, archive(tree))
    linked = {path: content for path, content in tree.items() if path != "pack.yaml"}

    again = send_again(service, pack, archive(linked, links={"pack.yaml": "data/manifest.yaml"}))

    assert (again.changed, again.pack) == (False, pack)


def test_the_same_archive_compresses_and_sends_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = create(service, archive(FILES))
    service.registry.requests.clear()
    compressed = Compressed(monkeypatch)

    again = send_again(service, pack, archive(FILES, top="slack/"))

    assert (again.changed, again.pack) == (False, pack)
    assert compressed.pieces == []
    assert requests_of(service, "POST", "PUT", "PATCH") == []
    assert [path for path in requests_of(service, "GET") if "/blobs/" in path] == []


def test_the_staged_way_does_the_same(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    pack = create(service, archive(FILES))
    compressed = Compressed(monkeypatch)

    ended = staged_uploads.upload(service, archive(FILES | {CHANGED: b"changed"}), pack_id=pack.id).body

    assert ended["status"] == "done", ended
    assert b"changed" in compressed
    assert FILES[OTHER] not in compressed


def damaged(service: Service, how: str) -> None:
    """Damage the only file index."""
    (key,) = (key for key in service.aws.objects() if key.startswith("indexes/"))
    index = service.services.indexes.get(
        Digest(key.removeprefix("indexes/").removesuffix(".json.gz").replace("/", ":"))
    )
    assert index is not None
    first, *layers = index.layers
    moved = tuple(
        file._replace(pieces=tuple(piece._replace(offset=piece.offset + 1) for piece in file.pieces))
        for file in index.files
    )
    wrong = {
        "lost": None,
        "of other sizes": FileIndex((replace(first, size=first.size + BLOCK), *layers), index.files),
        "of other content": replace(
            index, files=(index.files[0]._replace(sha256="0" * 64), *index.files[1:])
        ),
        "of other places": replace(index, files=moved),
    }[how]
    service.aws.s3.delete_object(Bucket=BUCKET, Key=key)
    if wrong is not None:
        service.aws.s3.put_object(Bucket=BUCKET, Key=key, Body=wrong.to_bytes())


@pytest.mark.parametrize("how", ["lost", "of other sizes", "of other content", "of other places"])
def test_no_index_can_make_a_reupload_go_wrong(how: str, service: Service) -> None:
    pack = create(service, archive(FILES))
    damaged(service, how)

    after = send_again(service, pack, archive(FILES | {CHANGED: b"changed"})).pack

    theirs = create(service, archive(FILES | {CHANGED: b"changed"}), org=1)
    assert after.image_digest == theirs.image_digest
    assert service.registry.shelves.repositories[REPOSITORY].uploads == {}


@pytest.mark.parametrize("how", ["of other sizes", "of other places"])
def test_no_index_can_make_a_change_go_wrong(how: str, service: Service) -> None:
    pack = create(service, archive(FILES))
    damaged(service, how)

    answer = change(service, pack.id, {CHANGED: b"changed"})

    theirs = create(service, archive(FILES | {CHANGED: b"changed"}), org=1)
    assert (answer.status, answer.body.get("image_digest")) == (200, theirs.image_digest)


class TestLostLayers:
    def lose(self, service: Service, pack: Pack, *, around: str) -> Digest:
        """Let the registry lose the layer that holds a file."""
        assert pack.layer_digest is not None
        index = service.services.indexes.get(pack.layer_digest)
        assert index is not None
        file = index.find(around)
        assert file is not None
        lost = index.layers[file.layer].digest
        del blobs(service)[lost]
        return lost

    @pytest.mark.parametrize("around", [OTHER, CHANGED], ids=["that stands", "that is changed"])
    def test_an_archive_sent_again_builds_a_lost_layer(self, around: str, service: Service) -> None:
        pack = create(service, archive(FILES))
        self.lose(service, pack, around=around)

        after = send_again(service, pack, archive(FILES | {CHANGED: b"changed"})).pack

        assert set(layers_of(service, after)) <= blobs(service).keys()
        theirs = create(service, archive(FILES | {CHANGED: b"changed"}), org=1)
        assert after.image_digest == theirs.image_digest

    def test_the_same_archive_sent_again_brings_a_lost_layer_back_and_no_other(
        self, service: Service
    ) -> None:
        pack = create(service, archive(FILES))
        lost = self.lose(service, pack, around=OTHER)
        service.registry.requests.clear()

        again = send_again(service, pack, archive(FILES))

        assert (again.changed, again.pack.image_digest) == (True, pack.image_digest)
        assert lost in blobs(service)
        assert len(requests_of(service, "POST")) == 1

    def test_a_change_says_that_the_layer_is_lost_and_what_helps(self, service: Service) -> None:
        pack = create(service, archive(FILES))
        self.lose(service, pack, around=OTHER)

        refused = change(service, pack.id, {CHANGED: b"changed"})

        assert (refused.status, list(refused.fields)) == (400, ["id"])
        assert "upload its whole archive again" in refused.fields["id"]
        assert service.services.packs.get(pack.id) == pack


def test_a_reupload_killed_at_any_moment_leaves_the_old_pack_or_the_new_one_whole(service: Service) -> None:
    pack = create(service, archive(FILES))
    service.settle()
    log = Log()
    with service.wire.tapped(log):
        send_again(service, pack, archive(FILES | {CHANGED: b"changed"}))

    # Each third moment: `tests/reliability` tries them all on an image of one layer.
    for moment in range(0, len(log.passed) + 1, 3):
        with pytest.raises(Killed), service.wire.tapped(crash_at(moment, len(log.passed))):
            send_again(service, pack, archive(FILES | {CHANGED: b"changed %d" % moment}))
        service.new_process()
        service.settle()
        service.clock.advance(DEADLINE)

        stands = service.services.packs.get(pack.id)
        assert stands is not None
        assert set(layers_of(service, stands)) <= blobs(service).keys()
    assert send_again(service, pack, archive(FILES)).changed


def test_an_image_whose_layers_a_later_revision_shares_keeps_them(service: Service) -> None:
    pack = create(service, archive(FILES))
    after = send_again(service, pack, archive(FILES | {CHANGED: b"changed"})).pack

    service.settle()

    assert set(layers_of(service, pack)) | set(layers_of(service, after)) <= blobs(service).keys()


def test_going_back_to_an_image_reads_only_the_layer_that_begins_with_the_manifest(service: Service) -> None:
    pack = create(service, archive(FILES))
    send_again(service, pack, archive(FILES | {"pack.yaml": MANIFEST.replace(b"1.4.0", b"1.5.0")}))
    repository = pack.image_ref.rpartition(":")[0]
    service.registry.requests.clear()

    answer = service.send(
        "replace_pack",
        "PUT",
        f"/packs/{pack.id}",
        json={"image_ref": f"{repository}@{pack.image_digest}"},
    )

    assert (answer.status, answer.body["version"]) == (200, "1.4.0")
    read = [path.rpartition("/")[2] for path in requests_of(service, "GET") if "/blobs/" in path]
    assert read == layers_of(service, pack)[:1]
