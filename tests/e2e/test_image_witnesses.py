"""Other people's tools read the images that we build, from every archive of the corpus that is a pack."""

import json
import os
import stat
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from local.docker_registry import docker_registry
from tests.corpus.cases import CorpusCase, accept_cases
from tests.witnesses import run

from packyard.oci.build.image import Image, build_image
from packyard.oci.build.layer import LayerSpool
from packyard.oci.build.tree import File, canonical_order
from packyard.oci.content import Content
from packyard.packs.archive.contents import PackContents
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.reader import read_archive
from packyard.registry.credentials import Anonymous
from packyard.registry.own.factory import distribution_registry
from packyard.registry.own.transport import Timeouts

# Every path with its mode, and its content unless it is a directory.
Tree = dict[str, tuple[int, bytes | None]]

# The archive whose documents are looked at one by one.
NAME = "every-top-level-entry"


@dataclass(frozen=True)
class Witnessed:
    """One image as we built it and as the witnesses found it."""

    image: Image
    expected: Tree
    unpacked: Tree


@dataclass(frozen=True)
class Kept:
    """Content as it came, beside what stands for it in the spool."""

    raw: bytes
    spooled: Content


@dataclass(frozen=True)
class KeepingStore:
    """Puts content into a spool and remembers it."""

    spool: LayerSpool

    def store(self, chunks: Iterable[bytes]) -> Kept:
        kept = list(chunks)
        return Kept(b"".join(kept), self.spool.store(kept))

    def fetch(self, stored: Kept) -> bytes:
        return stored.raw


class Witnesses:
    """Publishes archives to a registry and has them read back."""

    def __init__(self, url: str, directory: Path) -> None:
        self._registry = distribution_registry(
            url=url, credential=Anonymous(), timeouts=Timeouts(sleep=time.sleep, monotonic=time.monotonic)
        )
        self._directory = directory

    def read_back(self, case: CorpusCase) -> Witnessed:
        repository = f"packs/{case.name}"
        image, expected = self._publish(case.path, repository)
        source = f"docker://{self._registry.host}/{repository}@"
        directory = self._directory / case.name
        directory.mkdir()
        layout = f"oci:{directory / 'layout'}:pack"
        run(
            "skopeo", "--insecure-policy", "copy", "--src-tls-verify=false", source + image.digests[0], layout
        )
        run(
            "umoci", "unpack", "--rootless", "--image", layout.removeprefix("oci:"), str(directory / "bundle")
        )
        return Witnessed(image, expected, tree_of(directory / "bundle" / "rootfs"))

    def _publish(self, archive: Path, repository: str) -> tuple[Image, Tree]:
        with LayerSpool() as spool, archive.open("rb") as stream:
            contents = read_archive(stream, limits=ArchiveLimits(), contents=KeepingStore(spool))
            files = [File(file.path, file.executable, file.content.spooled) for file in contents.files]
            layer = spool.assemble(canonical_order(directories=contents.directories, files=files))
            manifest = contents.manifest
            image = build_image(
                layers=[layer],
                title=manifest.name,
                version=manifest.version,
                description=manifest.description,
            )
            self._registry.push(repository, image)
        return image, expected_tree(contents)


def expected_tree(contents: PackContents[Kept]) -> Tree:
    directories: Tree = dict.fromkeys(contents.directories, (0o755, None))
    return directories | {
        file.path: (0o755 if file.executable else 0o644, file.content.raw) for file in contents.files
    }


def tree_of(root: Path) -> Tree:
    tree: Tree = {}
    for folder, directories, files in os.walk(root):
        for name in directories + files:
            path = Path(folder, name)
            mode = stat.S_IMODE(path.lstat().st_mode)
            content = None if name in directories else path.read_bytes()
            tree[path.relative_to(root).as_posix()] = (mode, content)
    return tree


def at(registry_url: str) -> str:
    return f"docker://{registry_url.removeprefix('http://')}/packs/{NAME}"


@pytest.fixture(scope="module")
def registry_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("docker-registry")) as url:
        yield url


@pytest.fixture(scope="module")
def readings(
    registry_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Witnessed]]]:
    """What becomes of each archive; they are read back two at a time while the tests go through them."""
    witnesses = Witnesses(registry_url, tmp_path_factory.mktemp("read-back"))
    with ThreadPoolExecutor(max_workers=2) as threads:
        yield {case.name: threads.submit(witnesses.read_back, case) for case in accept_cases()}


@pytest.mark.parametrize("case", accept_cases(), ids=str)
def test_an_image_unpacks_to_the_pack(case: CorpusCase, readings: dict[str, Future[Witnessed]]) -> None:
    witnessed = readings[case.name].result()

    assert witnessed.unpacked == witnessed.expected


def test_an_index_and_the_second_platform_s_manifest_are_found_as_they_were_built(
    registry_url: str, readings: dict[str, Future[Witnessed]]
) -> None:
    image = readings[NAME].result().image

    for document in (image.index, image.manifests[1]):
        reference = f"{at(registry_url)}@{document.digest}"
        assert run("skopeo", "inspect", "--tls-verify=false", "--raw", reference) == document.raw


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_a_node_of_either_kind_finds_its_own(
    architecture: str, registry_url: str, readings: dict[str, Future[Witnessed]]
) -> None:
    reference = f"{at(registry_url)}@{readings[NAME].result().image.index.digest}"

    config = json.loads(
        run("skopeo", "--override-arch", architecture, "inspect", "--tls-verify=false", "--config", reference)
    )

    assert config["architecture"] == architecture
