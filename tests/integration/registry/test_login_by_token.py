"""Our login to our own registry by tokens: which are asked for, of whom, and for how long they are kept."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from tests.fake_registry.moods import Mood, Refuses, Says
from tests.fake_registry.server import FakeRegistry
from tests.fake_registry.tokens import Tokens
from tests.integration.registry.evidence import notes
from tests.integration.registry.logins import ALL, PASSWORD, REPOSITORY, USER, Operator

from packyard.errors import RegistryThrottled, RegistryUnavailable
from packyard.oci.build.image import Image
from packyard.oci.descriptor import Descriptor
from packyard.registry.own.refusal import RegistryRefused


@pytest.fixture
def tokens(fake: FakeRegistry) -> Tokens:
    """The fake registry asks for tokens, and hands them out."""
    fake.tokens = Tokens({f"{USER}:{PASSWORD}": ALL})
    return fake.tokens


@dataclass(kw_only=True)
class TakesItsTime(Mood):
    """Answers as usual, but only after some time of the operator's clock."""

    operator: Operator
    seconds: float

    def claims(self, method: str, path: str) -> bool:
        if super().claims(method, path):
            self.operator.now += timedelta(seconds=self.seconds)
        return False


class TestTokens:
    def test_one_token_does_for_a_push_and_another_for_deleting(
        self, fake: FakeRegistry, tokens: Tokens, operator: Operator, image: Image
    ) -> None:
        registry = operator.registry(fake.url)

        registry.push(REPOSITORY, image)
        registry.tag(REPOSITORY, "1.4.0", image.index)
        registry.delete_image(REPOSITORY, image.digests)

        assert tokens.asked == [(f"repository:{REPOSITORY}:pull,push",), (f"repository:{REPOSITORY}:delete",)]

    def test_mounting_asks_for_the_source_too(
        self, fake: FakeRegistry, tokens: Tokens, operator: Operator, image: Image
    ) -> None:
        registry = operator.registry(fake.url)
        registry.push("packs/one/slack", image)
        config = image.configs[0]
        descriptor = Descriptor(config.media_type, config.digest, config.size)

        registry.copy_blob("packs/two/slack", descriptor, chunks=_nothing, mount_from="packs/one/slack")

        assert tokens.asked[-1] == ("repository:packs/two/slack:pull,push", "repository:packs/one/slack:pull")
        assert config.digest in fake.shelves.repositories["packs/two/slack"].blobs

    @pytest.mark.parametrize(("expires_in", "kept"), [(300, 280), (3600, 3500), (None, 45), (0, 45)])
    def test_a_token_is_kept_until_it_ends(
        self, expires_in: int | None, kept: int, fake: FakeRegistry, operator: Operator, image: Image
    ) -> None:
        tokens = fake.tokens = Tokens({f"{USER}:{PASSWORD}": ALL}, expires_in=expires_in)
        registry = operator.registry(fake.url)
        registry.has_image(REPOSITORY, image.index.digest)
        operator.now += timedelta(seconds=kept)
        registry.has_image(REPOSITORY, image.index.digest)
        assert len(tokens.asked) == 1

        operator.now += timedelta(seconds=120)
        registry.has_image(REPOSITORY, image.index.digest)

        assert len(tokens.asked) == 2

    def test_the_time_that_a_token_server_takes_is_not_added_to_a_token_s(
        self, fake: FakeRegistry, operator: Operator, image: Image
    ) -> None:
        tokens = fake.tokens = Tokens({f"{USER}:{PASSWORD}": ALL}, expires_in=300)
        fake.moods.append(TakesItsTime(path="/token", operator=operator, seconds=30))
        registry = operator.registry(fake.url)
        registry.has_image(REPOSITORY, image.index.digest)
        operator.now += timedelta(seconds=265)

        registry.has_image(REPOSITORY, image.index.digest)

        assert len(tokens.asked) == 2

    def test_a_token_that_the_registry_has_forgotten_is_replaced_once(
        self, fake: FakeRegistry, tokens: Tokens, operator: Operator, image: Image
    ) -> None:
        registry = operator.registry(fake.url)
        registry.push(REPOSITORY, image)
        tokens.granted.clear()

        registry.tag(REPOSITORY, "1.4.0", image.index)

        assert fake.shelves.repositories[REPOSITORY].tags == {"1.4.0": image.index.digest}
        assert len(tokens.asked) == 2

    def test_what_is_forbidden_to_a_token_is_not_tried_with_the_login_itself(
        self, fake: FakeRegistry, tokens: Tokens, operator: Operator, image: Image
    ) -> None:
        registry = operator.registry(fake.url)
        registry.has_image(REPOSITORY, image.index.digest)
        fake.moods.append(Refuses(path="/v2/", status=403))

        with pytest.raises(RegistryRefused):
            registry.has_image(REPOSITORY, image.index.digest)

        shown = [request.headers.get("Authorization", "") for request in fake.requests]
        assert not any(
            value.startswith("Basic")
            for value, request in zip(shown, fake.requests, strict=True)
            if request.path != "/token"
        )
        assert len(tokens.asked) == 1

    def test_requests_for_a_token_that_is_always_refused_end(
        self, fake: FakeRegistry, tokens: Tokens, operator: Operator, image: Image
    ) -> None:
        tokens.users = {f"{USER}:{PASSWORD}": set()}

        with pytest.raises(RegistryRefused):
            operator.registry(fake.url).has_image(REPOSITORY, image.index.digest)

        assert len(tokens.asked) == 2
        assert sum("/v2/" in request.path for request in fake.requests) == 3

    def test_tokens_are_kept_for_a_bounded_number_of_repositories(
        self, fake: FakeRegistry, tokens: Tokens, operator: Operator, image: Image
    ) -> None:
        registry = operator.registry(fake.url)

        for number in itertools.chain(range(70), [69, 0]):
            registry.has_image(f"packs/org/{number}", image.index.digest)

        assert len(tokens.asked) == 71

    def test_a_stated_scope_that_is_another_than_ours_is_asked_for_too(
        self, fake: FakeRegistry, tokens: Tokens, operator: Operator, image: Image
    ) -> None:
        fake.moods.append(
            Says(
                status=401,
                times=1,
                headers=(("WWW-Authenticate", f'Bearer realm="{fake.url}/token",scope="opaque"'),),
            )
        )

        operator.registry(fake.url).has_image(REPOSITORY, image.index.digest)

        assert tokens.asked == [(f"repository:{REPOSITORY}:pull,push", "opaque")]

    def test_a_token_server_on_another_host_is_shown_the_login_only_if_the_operator_names_it(
        self, fake: FakeRegistry, tokens: Tokens, operator: Operator, image: Image
    ) -> None:
        with FakeRegistry() as server:
            server.tokens, fake.realm = tokens, f"{server.url}/token"

            with pytest.raises(RegistryRefused) as refused:
                operator.registry(fake.url).has_image(REPOSITORY, image.index.digest)
            assert f'"realm": "127.0.0.1:{server.port}"' in notes(refused.value)
            assert server.requests == []

            operator.secret["realm"] = f"127.0.0.1:{server.port}"
            assert not operator.registry(fake.url).has_image(REPOSITORY, image.index.digest)

    @pytest.mark.parametrize(
        ("mood", "error"),
        [
            (Refuses(path="/token", status=503), RegistryUnavailable),
            (Says(path="/token", body=b"{}"), RegistryUnavailable),
            (Says(path="/token", body=b'{"token":"' + b"x" * (1 << 17) + b'"}'), RegistryUnavailable),
            (Says(path="/token", status=429, headers=(("Retry-After", "30"),)), RegistryThrottled),
        ],
        ids=["down", "no token", "too much", "throttled"],
    )
    @pytest.mark.usefixtures("tokens")
    def test_a_token_server_that_gives_none_is_a_registry_that_does_not_answer(
        self,
        mood: Says | Refuses,
        error: type[RegistryUnavailable],
        fake: FakeRegistry,
        operator: Operator,
        image: Image,
    ) -> None:
        fake.moods.append(mood)

        with pytest.raises(error):
            operator.registry(fake.url).has_image(REPOSITORY, image.index.digest)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.usefixtures("tokens")
    def test_a_token_server_that_redirects_is_not_followed_and_the_operator_reads_why(
        self, status: int, fake: FakeRegistry, operator: Operator, image: Image
    ) -> None:
        elsewhere = (("Location", "http://x.invalid/"),)
        fake.moods.append(Says(path="/token", status=status, headers=elsewhere))

        with pytest.raises(RegistryRefused) as refused:
            operator.registry(fake.url).has_image(REPOSITORY, image.index.digest)

        assert "token server redirects" in notes(refused.value)
        # That is another address, which is right.
        assert "RegistryUrl" not in notes(refused.value)


def _nothing() -> Iterator[bytes]:
    raise AssertionError("nothing is to be sent")
