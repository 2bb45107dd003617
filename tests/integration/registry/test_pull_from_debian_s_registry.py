"""Debian's registry, which has never heard of us: with and without users, and images that other tools made."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
import urllib3
from local.docker_registry import docker_registry
from tests.fake_registry.server import FakeRegistry
from tests.image_sources import LOOPBACK, image_source, not_there, pull
from tests.third_party_images import PACK_YAML
from tests.witnesses import run

from packyard.errors import InvalidRequest

# `user:secret`, of the fewest rounds that bcrypt takes.
HTPASSWD: Final = "user:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n"
USER: Final = {"username": "user", "password": "secret"}
NO_PACK: Final = {"image_ref": "has no pack.yaml at its root (/pack.yaml), where it has to be"}


class Layout:
    """Images in a folder, put together by umoci and pushed by skopeo."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "layout"
        (directory / "empty").mkdir()
        (directory / "pack.yaml").write_bytes(PACK_YAML)
        run("umoci", "init", "--layout", str(self._path))
        self.image = f"{self._path}:pack"
        run("umoci", "new", "--image", self.image)

    def insert(self) -> None:
        self._umoci_insert(str(self._directory / "pack.yaml"), "/pack.yaml")

    def whiteout(self) -> None:
        self._umoci_insert("--whiteout", "/pack.yaml")

    def opaque(self) -> None:
        self._umoci_insert("--opaque", str(self._directory / "empty"), "/")

    def push(self, url: str, *options: str) -> str:
        host = url.removeprefix("http://")
        reference = f"{host}/{self._directory.name.strip('_').replace('_', '-')}/pack:latest"
        run(
            *("skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", *options),
            *(f"oci:{self.image}", f"docker://{reference}"),
        )
        return reference

    def _umoci_insert(self, *arguments: str) -> None:
        run("umoci", "insert", "--rootless", "--image", self.image, *arguments)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


@pytest.fixture(scope="module")
def guarded_registry_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("docker-registry"), htpasswd=HTPASSWD) as url:
        yield url


@pytest.mark.parametrize(
    "options",
    [
        ("--format=oci",),
        ("--format=v2s2",),
        ("--format=oci", "--dest-compress-format=zstd"),
    ],
    ids=["oci", "docker", "zstd"],
)
def test_an_image_that_skopeo_has_pushed_is_read(
    layout: Layout, docker_registry_url: str, options: tuple[str, ...]
) -> None:
    layout.insert()
    reference = layout.push(docker_registry_url, *options)

    pulled = pull(image_source(trusted=LOOPBACK), reference)

    assert pulled.manifest.name == "slack"
    digest = run("skopeo", "inspect", "--tls-verify=false", "--format={{.Digest}}", f"docker://{reference}")
    assert pulled.digest == digest.decode().strip()
    assert pull(image_source(trusted=LOOPBACK), f"{reference}@{pulled.digest}") == pulled


@pytest.mark.parametrize("hide", [Layout.whiteout, Layout.opaque], ids=["whiteout", "opaque"])
def test_what_umoci_hides_is_gone_until_it_is_put_back(
    layout: Layout, docker_registry_url: str, hide: Callable[[Layout], None]
) -> None:
    layout.insert()
    hide(layout)

    with pytest.raises(InvalidRequest) as refused:
        pull(image_source(trusted=LOOPBACK), layout.push(docker_registry_url))
    assert refused.value.fields == NO_PACK

    layout.insert()
    assert pull(image_source(trusted=LOOPBACK), layout.push(docker_registry_url)).manifest.name == "slack"


class TestUsers:
    @pytest.fixture
    def reference(self, layout: Layout, guarded_registry_url: str) -> str:
        layout.insert()
        return layout.push(guarded_registry_url, "--dest-creds=user:secret")

    def test_the_operator_s_credential_gives_access(self, reference: str) -> None:
        host = reference.partition("/")[0]
        source = image_source(trusted=LOOPBACK, secret={host: USER})

        assert pull(source, reference).manifest.name == "slack"

    @pytest.mark.parametrize(
        "secret", [None, {"username": "user", "password": "wrong"}], ids=["none", "wrong"]
    )
    def test_without_it_nothing_exists(self, reference: str, secret: dict[str, str] | None) -> None:
        host = reference.partition("/")[0]
        source = image_source(trusted=LOOPBACK, secret={host: secret} if secret else None)

        with pytest.raises(InvalidRequest) as refused:
            pull(source, reference)
        assert refused.value.fields == not_there(reference)

    def test_the_fake_registry_asks_for_users_as_debian_s_does(
        self, fake: FakeRegistry, guarded_registry_url: str
    ) -> None:
        fake.basic = "user:secret"
        right, wrong = (b64encode(user).decode() for user in (b"user:secret", b"user:wrong"))
        seen = []
        for url in (fake.url, guarded_registry_url):
            for headers in ({}, {"Authorization": f"Basic {wrong}"}, {"Authorization": f"Basic {right}"}):
                answer = urllib3.request("GET", f"{url}/v2/", headers=headers, retries=False)
                seen.append((answer.status, answer.headers.get("WWW-Authenticate", "")[:13]))

        assert seen[:3] == seen[3:] == [(401, 'Basic realm="'), (401, 'Basic realm="'), (200, "")]
