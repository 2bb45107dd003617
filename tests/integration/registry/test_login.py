"""Our login to our own registry: by Basic, by tokens, and against Debian's registry in both ways."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.serialization import Encoding
from local.docker_registry import TokenServer, docker_registry
from tests import signed_tokens
from tests.fake_registry.flavours import FLAVOURS
from tests.fake_registry.moods import Says
from tests.fake_registry.server import FakeRegistry
from tests.fake_registry.tokens import Tokens
from tests.integration.registry.evidence import notes
from tests.integration.registry.logins import ALL, HTPASSWD, PASSWORD, REPOSITORY, USER, Operator

from packyard.errors import ServiceUnavailable
from packyard.oci.build.image import Image
from packyard.oci.build.layer import Layer
from packyard.registry.own.refusal import RegistryRefused


class TestEveryRegistry:
    @pytest.fixture(
        params=[
            "basic",
            "tokens",
            *(f"{name} with tokens" for name in FLAVOURS),
            "debian",
            "debian with tokens",
        ]
    )
    def url(self, request: pytest.FixtureRequest, operator: Operator, tmp_path: Path) -> Iterator[str]:
        flavour = FLAVOURS.get(request.param.removesuffix(" with tokens"), FLAVOURS["fake"])
        with ExitStack() as stack:
            if request.param == "debian":
                yield stack.enter_context(docker_registry(tmp_path, htpasswd=HTPASSWD))
                return
            fake = stack.enter_context(FakeRegistry(flavour=flavour))
            if request.param == "basic":
                fake.basic = f"{USER}:{PASSWORD}"
                yield fake.url
                return
            fake.tokens = Tokens({f"{USER}:{PASSWORD}": ALL})
            if request.param != "debian with tokens":
                yield fake.url
                return
            # The fake one is the token server of the real one, on another host as GitLab's is.
            fake.tokens.mint = signed_tokens.mint
            operator.secret["realm"] = f"127.0.0.1:{fake.port}"
            server = TokenServer(
                realm=f"{fake.url}/token",
                service=signed_tokens.SERVICE,
                issuer=signed_tokens.ISSUER,
                certificate=signed_tokens.certificate().public_bytes(Encoding.PEM),
            )
            yield stack.enter_context(docker_registry(tmp_path, tokens=server))

    def test_everything_works_with_the_operator_s_login(
        self, url: str, operator: Operator, image: Image, layer: Layer
    ) -> None:
        registry = operator.registry(url)

        with registry.begin_upload(REPOSITORY) as upload:
            for piece in layer.chunks():
                upload.write(piece)
            upload.end()
            registry.push(REPOSITORY, image, uploads={layer.digest: upload})
        registry.tag(REPOSITORY, "1.4.0", image.index)
        assert registry.has_image(REPOSITORY, image.index.digest)
        registry.purge_repository(REPOSITORY, [])
        registry.delete_image(REPOSITORY, image.digests)

        assert not registry.has_image(REPOSITORY, image.index.digest)

    def test_a_wrong_one_is_the_registry_s_refusal_and_the_operator_reads_why(
        self, url: str, operator: Operator, image: Image
    ) -> None:
        operator.secret["password"] = "close"
        registry = operator.registry(url)

        with pytest.raises(RegistryRefused) as refused:
            registry.push(REPOSITORY, image)

        assert refused.value.answered == 401
        assert "RegistryLoginArn" in notes(refused.value)
        assert "close" not in notes(refused.value)
        assert (refused.value.status, refused.value.code) == (502, "registry_unavailable")


class TestBasic:
    def test_it_is_sent_after_a_challenge_and_without_one_from_then_on(
        self, fake: FakeRegistry, operator: Operator, image: Image
    ) -> None:
        fake.basic = f"{USER}:{PASSWORD}"
        registry = operator.registry(fake.url)

        for _ in range(3):
            registry.has_image(REPOSITORY, image.index.digest)

        assert ["Authorization" in request.headers for request in fake.requests] == [False, True, True, True]

    def test_a_registry_that_does_not_say_what_it_wants_is_shown_it(
        self, fake: FakeRegistry, operator: Operator, image: Image
    ) -> None:
        fake.moods.append(Says(status=401, times=1))

        operator.registry(fake.url).has_image(REPOSITORY, image.index.digest)

        assert "Authorization" in fake.requests[1].headers

    def test_a_registry_that_asks_for_nothing_is_shown_nothing(
        self, fake: FakeRegistry, operator: Operator, image: Image
    ) -> None:
        operator.registry(fake.url).push(REPOSITORY, image)

        assert not any("Authorization" in request.headers for request in fake.requests)
        assert operator.read == 0

    def test_a_password_that_has_been_changed_is_read_again_when_the_old_one_is_refused(
        self, fake: FakeRegistry, operator: Operator, image: Image
    ) -> None:
        fake.basic = f"{USER}:{PASSWORD}"
        registry = operator.registry(fake.url)
        registry.has_image(REPOSITORY, image.index.digest)
        fake.basic, operator.secret["password"] = f"{USER}:new", "new"
        operator.now += timedelta(seconds=30)

        registry.has_image(REPOSITORY, image.index.digest)

        assert operator.read == 2

    @pytest.mark.parametrize(
        ("token", "shown"),
        [(None, ["", "Basic", "Basic"]), ("useless", ["", "Basic", "Bearer", "Basic"])],
        ids=["none is given", "none is taken"],
    )
    def test_where_tokens_are_advertised_and_none_works_the_login_itself_is_shown(
        self, token: str | None, shown: list[str], fake: FakeRegistry, operator: Operator, image: Image
    ) -> None:
        """Image-factory PR #573, harbor #23799."""
        fake.basic = f"{USER}:{PASSWORD}"
        ways = (
            ("WWW-Authenticate", f'Bearer realm="{fake.url}/token",service="fake"'),
            ("WWW-Authenticate", 'Basic realm="fake"'),
        )
        given = b'{"token":"%s"}' % token.encode() if token else b"{}"
        fake.moods += [
            Says(path="/token", body=given),
            Says(path="/v2/", status=401, headers=ways, times=2 if token else 1),
        ]
        registry = operator.registry(fake.url)

        registry.has_image(REPOSITORY, image.index.digest)
        registry.has_image(REPOSITORY, image.index.digest)

        schemes = [request.headers.get("Authorization", "").partition(" ")[0] for request in fake.requests]
        assert schemes == [*shown, "Basic"]
        assert fake.requests[1].path == "/token"


class TestTheSecret:
    @pytest.mark.parametrize(
        "secret",
        [
            "",
            "[]",
            "{}",
            '"s3cret"',
            '{"username": "s3cret"}',
            '{"username": "a:b", "password": "s3cret"}',
            '{"username": "", "password": "s3cret"}',
            '{"username": ["a"], "password": "s3cret"}',
            '{"username": "a", "password": "s3cret\\ud800"}',
            '{"username": "a", "password": "s3cret", "realm": "https://x/"}',
            '{"username": "a", "password": "s3cret", "orgs": []}',
        ],
    )
    def test_one_that_is_not_as_it_must_be_is_named_and_not_quoted(
        self, secret: str, fake: FakeRegistry, operator: Operator, image: Image
    ) -> None:
        fake.basic = f"{USER}:{PASSWORD}"

        with pytest.raises(RegistryRefused) as refused:
            operator.registry(fake.url, lambda: secret).has_image(REPOSITORY, image.index.digest)

        assert "RegistryLoginArn" in notes(refused.value)
        assert "s3cret" not in f"{refused.value} {notes(refused.value)} {refused.value.__cause__}"

    def test_one_that_may_not_be_read_is_named(
        self, fake: FakeRegistry, operator: Operator, image: Image
    ) -> None:
        fake.basic = f"{USER}:{PASSWORD}"

        def denied() -> str:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetSecretValue")

        with pytest.raises(RegistryRefused) as refused:
            operator.registry(fake.url, denied).has_image(REPOSITORY, image.index.digest)

        assert "RegistryLoginArn: the secret cannot be read: AccessDeniedException" in notes(refused.value)

    def test_an_outage_of_its_keeper_is_one_of_a_service(
        self, fake: FakeRegistry, operator: Operator, image: Image
    ) -> None:
        fake.basic = f"{USER}:{PASSWORD}"

        def down() -> str:
            raise ServiceUnavailable

        with pytest.raises(ServiceUnavailable):
            operator.registry(fake.url, down).has_image(REPOSITORY, image.index.digest)
