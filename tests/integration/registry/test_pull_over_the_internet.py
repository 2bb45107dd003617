"""Where a read goes and what it shows there: names, addresses, redirects and token servers, over real TLS."""

from base64 import b64encode
from collections.abc import Iterator
from typing import ClassVar

import pytest
from tests.fake_registry.moods import Redirects, Refuses, Says
from tests.fake_registry.server import FakeRegistry
from tests.image_sources import image_source, not_there, pull
from tests.internet import Internet, internet
from tests.third_party_images import pack_image

from packyard.errors import InvalidRequest, RegistryUnavailable
from packyard.oci.reference import parse_reference
from packyard.registry.third_party.pull import ImageSource

REFERENCE = "registry.test/acme/slack"
USER = {"username": "user", "password": "secret"}
BASIC = f"Basic {b64encode(b'user:secret').decode()}"


@pytest.fixture
def net() -> Iterator[Internet]:
    with internet() as running:
        yield running


@pytest.fixture
def registry(net: Internet) -> FakeRegistry:
    """A registry at `registry.test` that has the image."""
    return stocked(net.serve("registry.test"))


def stocked(registry: FakeRegistry, name: str = "acme/slack") -> FakeRegistry:
    pack_image().shelve(registry.shelves.repository(name, create=True), "latest")
    return registry


def shown(registry: FakeRegistry) -> list[str | None]:
    """What each request has shown, in order."""
    return [request.headers["Authorization"] for request in registry.requests]


def refused(source: ImageSource, reference: str = REFERENCE) -> None:
    """The image is refused in the words that tell nothing."""
    with pytest.raises(InvalidRequest) as error:
        pull(source, reference)
    name = str(parse_reference(reference))
    assert error.value.fields == not_there(name, own=name.startswith("own.test/"))


class TestAddresses:
    def test_a_public_registry_is_read_with_one_lookup(self, net: Internet, registry: FakeRegistry) -> None:
        assert pull(image_source(net=net), REFERENCE).manifest.name == "slack"
        assert (net.looked_up, net.connected) == (["registry.test"], net.names["registry.test"][0])
        assert shown(registry) == [None, None]

    @pytest.mark.parametrize(
        "addresses",
        [["10.0.0.1"], ["127.0.0.1"], ["169.254.169.254"], ["93.184.215.1", "::1"], ["64:ff9b::a00:1"], []],
        ids=str,
    )
    def test_a_name_without_public_addresses_is_as_good_as_none(
        self, net: Internet, registry: FakeRegistry, addresses: list[str]
    ) -> None:
        net.names["registry.test"] = [addresses]

        refused(image_source(net=net))
        assert (net.connected, registry.requests) == ([], [])

    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "10.0.0.1:8443", "169.254.169.254", "0.0.0.1", "localhost", "localhost:5000"]
    )
    def test_so_is_an_address_that_is_not_public(self, net: Internet, host: str) -> None:
        net.names["localhost"] = [["127.0.0.1"]]

        refused(image_source(net=net), f"{host}/acme/slack")
        assert net.connected == []

    @pytest.mark.usefixtures("registry")
    def test_an_answer_that_changes_after_the_check_gains_nothing(self, net: Internet) -> None:
        public = net.names["registry.test"][0]
        net.names["registry.test"] = [public, ["127.0.0.1"]]

        pull(image_source(net=net), REFERENCE)

        assert net.connected == public

    def test_nor_does_one_that_changes_before_the_next_connection(
        self, net: Internet, registry: FakeRegistry
    ) -> None:
        net.names["registry.test"].append(["127.0.0.1"])
        # Its server closes the connection after this answer, so that another is needed.
        registry.moods.append(Says(status=401, headers=(("WWW-Authenticate", "Basic"),), times=1))

        refused(image_source(net=net, secret={"registry.test": USER}))
        assert net.connected == ["93.184.215.1"]

    def test_a_registry_that_does_not_answer_is_unavailable(self, net: Internet) -> None:
        net.names["registry.test"] = [["93.184.215.9"]]

        with pytest.raises(RegistryUnavailable):
            pull(image_source(net=net), REFERENCE)

    def test_a_certificate_for_another_name_is_not_believed(self, net: Internet) -> None:
        impostor = stocked(net.serve("registry.test", certified_as="impostor.test"))

        with pytest.raises(RegistryUnavailable):
            pull(image_source(net=net), REFERENCE)
        assert impostor.requests == []

    def test_docker_hub_is_asked_where_its_api_is(self, net: Internet) -> None:
        hub = stocked(net.serve("registry-1.docker.io"), "library/slack")

        assert pull(image_source(net=net), "slack").manifest.name == "slack"
        assert hub.requests[0].path == "/v2/library/slack/manifests/latest"

    def test_a_trusted_registry_may_have_a_private_address(
        self, net: Internet, registry: FakeRegistry
    ) -> None:
        net.names["registry.test"] = [["10.0.0.1"]]
        net.ports["10.0.0.1"] = registry.port

        assert pull(image_source(net=net, trusted="registry.test"), REFERENCE).manifest.name == "slack"


class TestRedirects:
    @pytest.fixture
    def storage(self, net: Internet) -> FakeRegistry:
        return stocked(net.serve("storage.test"))

    def test_a_blob_may_lie_elsewhere_where_no_credential_is_shown(
        self, net: Internet, registry: FakeRegistry, storage: FakeRegistry
    ) -> None:
        registry.basic = "user:secret"
        registry.moods.append(Redirects(base_url=storage.url, path="/blobs/"))

        pull(image_source(net=net, secret={"registry.test": USER}), REFERENCE)

        assert shown(registry) == [None, BASIC, BASIC]
        assert shown(storage) == [None]

    def test_nor_is_a_token(self, net: Internet, registry: FakeRegistry, storage: FakeRegistry) -> None:
        registry.bearer = "token"
        registry.moods.append(Redirects(base_url=storage.url, path="/blobs/"))

        pull(image_source(net=net), REFERENCE)

        assert shown(storage) == [None]

    def test_a_credential_that_was_dropped_is_not_picked_up_again(
        self, net: Internet, registry: FakeRegistry, storage: FakeRegistry
    ) -> None:
        registry.basic = "user:secret"
        registry.moods.append(Redirects(base_url=storage.url, path="/blobs/", times=1))
        storage.moods.append(Redirects(base_url=registry.url))

        with pytest.raises(InvalidRequest, match=r"is kept at registry\.test,"):
            pull(image_source(net=net, secret={"registry.test": USER}), REFERENCE)

        assert shown(registry)[-1] is None
        assert shown(storage) == [None]

    def test_another_port_is_another_origin(self, net: Internet, registry: FakeRegistry) -> None:
        registry.basic = "user:secret"
        registry.moods.append(Redirects(base_url="https://registry.test:8443", path="/blobs/", times=1))

        with pytest.raises(InvalidRequest, match=r"is kept at registry\.test:8443,"):
            pull(image_source(net=net, secret={"registry.test": USER}), REFERENCE)

        assert shown(registry) == [None, BASIC, BASIC, None]

    @pytest.mark.parametrize(
        "target",
        [
            "https://169.254.169.254",
            "http://169.254.169.254",
            "https://metadata.test",
            "https://[fd00:ec2::254]",
            "http://storage.test",
            "https://user:secret@storage.test",
            "https://no-such-name.test",
            "ftp://storage.test",
            "file://",
        ],
    )
    @pytest.mark.parametrize("path", ["/manifests/", "/blobs/"])
    def test_a_redirect_to_where_we_do_not_go_is_as_good_as_nothing(
        self, net: Internet, registry: FakeRegistry, storage: FakeRegistry, target: str, path: str
    ) -> None:
        net.names["metadata.test"] = [["169.254.169.254"]]
        registry.moods.append(Redirects(base_url=target, path=path))

        refused(image_source(net=net))
        assert (net.connected, storage.requests) == ([net.names["registry.test"][0][0]], [])

    def test_a_stranger_cannot_lead_us_to_a_registry_that_trusts_us(
        self, net: Internet, registry: FakeRegistry
    ) -> None:
        inner = stocked(net.serve("inner.test"))
        net.names["inner.test"] = [["10.0.0.1"]]
        net.ports["10.0.0.1"] = inner.port
        registry.moods.append(Redirects(base_url="https://inner.test", path="/manifests/"))
        source = image_source(net=net, trusted="inner.test")

        refused(source)
        assert inner.requests == []
        assert pull(source, "inner.test/acme/slack").manifest.name == "slack"

    def test_a_registry_that_redirects_in_circles_is_unavailable(
        self, net: Internet, registry: FakeRegistry
    ) -> None:
        registry.moods.append(Redirects(base_url=registry.url))

        with pytest.raises(RegistryUnavailable):
            pull(image_source(net=net), REFERENCE)
        assert len(registry.requests) == 6

    @pytest.mark.parametrize("location", ["", "https://[", "https://storage.test:x/", "//", "\x7f"])
    def test_a_redirect_to_nowhere_ends_the_read(
        self, net: Internet, registry: FakeRegistry, location: str
    ) -> None:
        registry.moods.append(Says(status=307, headers=(("Location", location),)))

        with pytest.raises((InvalidRequest, RegistryUnavailable)):
            pull(image_source(net=net), REFERENCE)
        assert set(net.connected) == set(net.names["registry.test"][0])

    def test_the_target_of_a_redirect_gets_no_credential(
        self, net: Internet, registry: FakeRegistry, storage: FakeRegistry
    ) -> None:
        storage.moods.append(Refuses(status=403))
        registry.moods.append(Redirects(base_url=storage.url, path="/blobs/"))

        with pytest.raises(RegistryUnavailable):
            pull(image_source(net=net), REFERENCE)


class TestTokens:
    @pytest.fixture
    def realm(self, net: Internet, registry: FakeRegistry) -> FakeRegistry:
        """A token server of its own, which hands out what the registry asks for."""
        server = net.serve("auth.test")
        registry.bearer = server.bearer = "token"
        registry.realm = f"{server.url}/token"
        return server

    def test_a_token_is_requested_for_the_pulled_repository_and_sent_to_the_registry(
        self, net: Internet, registry: FakeRegistry, realm: FakeRegistry
    ) -> None:
        pull(image_source(net=net), REFERENCE)

        (asked,) = realm.requests
        assert asked.query == {"service": "fake", "scope": "repository:acme/slack:pull"}
        assert shown(realm) == [None]
        assert shown(registry) == [None, "Bearer token", "Bearer token"]

    def test_a_token_server_elsewhere_is_not_shown_the_registry_s_credential(
        self, net: Internet, realm: FakeRegistry
    ) -> None:
        pull(image_source(net=net, secret={"registry.test": USER}), REFERENCE)

        assert shown(realm) == [None]

    def test_unless_the_operator_named_it(
        self, net: Internet, registry: FakeRegistry, realm: FakeRegistry
    ) -> None:
        realm.token_user = "user:secret"

        pull(image_source(net=net, secret={"registry.test": USER | {"realm": "auth.test"}}), REFERENCE)

        assert shown(realm) == [BASIC]
        assert shown(registry) == [None, "Bearer token", "Bearer token"]

    def test_the_registry_s_own_token_server_is_shown_it(self, net: Internet, registry: FakeRegistry) -> None:
        registry.bearer, registry.token_user = "token", "user:secret"

        pull(image_source(net=net, secret={"registry.test": USER}), REFERENCE)

        assert shown(registry) == [None, BASIC, "Bearer token", "Bearer token"]

    def test_docker_hub_s_token_server_is_shown_docker_hub_s(self, net: Internet) -> None:
        hub, auth = stocked(net.serve("registry-1.docker.io"), "library/slack"), net.serve("auth.docker.io")
        hub.bearer = auth.bearer = "token"
        hub.realm = f"{auth.url}/token"

        pull(image_source(net=net, secret={"docker.io": USER}), "slack")

        assert shown(auth) == [BASIC]
        assert shown(hub) == [None, "Bearer token", "Bearer token"]

    def test_a_credential_is_dropped_when_the_token_server_redirects(
        self, net: Internet, registry: FakeRegistry
    ) -> None:
        elsewhere = net.serve("elsewhere.test")
        registry.bearer = elsewhere.bearer = "token"
        registry.moods.append(Redirects(base_url=elsewhere.url, path="/token"))

        pull(image_source(net=net, secret={"registry.test": USER}), REFERENCE)

        assert shown(elsewhere) == [None]

    @pytest.mark.parametrize(
        "realm",
        ["https://169.254.169.254/latest/meta-data/iam/", "https://metadata.test/", "https://[::1]/", " "],
    )
    def test_a_token_server_where_we_do_not_go_is_not_asked(
        self, net: Internet, registry: FakeRegistry, realm: str
    ) -> None:
        net.names["metadata.test"] = [["169.254.169.254"]]
        registry.bearer, registry.realm = "token", realm

        refused(image_source(net=net, secret={"registry.test": USER}))
        assert set(net.connected) == set(net.names["registry.test"][0])

    @pytest.mark.parametrize(
        "realm",
        ["http://auth.test/token", "https://a@auth.test/", "example", "Registry Realm", "ftp://auth.test/"],
    )
    def test_a_token_server_without_a_usable_url_is_the_registry_s_fault(
        self, net: Internet, registry: FakeRegistry, realm: str
    ) -> None:
        net.serve("auth.test")
        registry.bearer, registry.realm = "token", realm

        with pytest.raises(RegistryUnavailable, match="a place that cannot be asked"):
            pull(image_source(net=net, secret={"registry.test": USER}), REFERENCE)
        assert set(net.connected) == set(net.names["registry.test"][0])

    @pytest.mark.parametrize("realm", ["/token", "//registry.test/token", "http://registry.test/token"])
    def test_a_token_server_may_be_a_path_of_the_registry_or_not_know_of_its_tls(
        self, net: Internet, registry: FakeRegistry, realm: str
    ) -> None:
        registry.bearer, registry.realm, registry.token_user = "token", realm, "user:secret"

        pull(image_source(net=net, secret={"registry.test": USER}), REFERENCE)

        assert shown(registry) == [None, BASIC, "Bearer token", "Bearer token"]

    def test_an_organisation_that_is_not_listed_is_anonymous(
        self, net: Internet, registry: FakeRegistry
    ) -> None:
        registry.basic = "user:secret"
        source = image_source(net=net, secret={"registry.test": USER | {"orgs": ["org_other"]}})

        refused(source)
        assert shown(registry) == [None]
        assert pull(source, REFERENCE, org_id="org_other").manifest.name == "slack"

    def test_ecr_is_shown_its_token_when_it_is_listed(self, net: Internet) -> None:
        host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
        ecr = stocked(net.serve(host))
        ecr.basic = "AWS:eu-west-1"

        refused(image_source(net=net), f"{host}/acme/slack")
        assert pull(image_source(net=net, secret={host: {"ecr": True}}), f"{host}/acme/slack")


def answers_401(*challenges: str, path: str = "/v2/", times: int | None = None) -> Says:
    headers = tuple(("WWW-Authenticate", challenge) for challenge in challenges)
    return Says(status=401, headers=headers, path=path, times=times)


class TestScopes:
    """Which scope a token is asked for, and what is asked next when a token is not enough."""

    PULL = "repository:acme/slack:pull"

    @pytest.mark.parametrize(
        ("stated", "asked"),
        [
            (None, PULL),
            (PULL, PULL),
            ("repository:acme/slack:pull,push,delete", PULL),
            # oras-dotnet #395: Amazon's public registry.
            ("aws", "aws"),
            # Artifactory names the repository in which it files the image.
            ("repository:docker-local/acme/slack:pull", "repository:docker-local/acme/slack:pull"),
            # goharbor/harbor #22118: of no use for pulling.
            ("registry:catalog:*", PULL),
            ("repository:acme/slack:push", PULL),
        ],
    )
    def test_a_token_is_requested_for_the_stated_scope_but_never_for_writing(
        self, net: Internet, registry: FakeRegistry, stated: str | None, asked: str
    ) -> None:
        registry.bearer, registry.scope = "token", stated

        pull(image_source(net=net), REFERENCE)

        assert [request.query["scope"] for request in registry.requests if request.path == "/token"] == [
            asked
        ]

    def test_a_stated_scope_that_gives_nothing_is_followed_by_our_own(
        self, net: Internet, registry: FakeRegistry
    ) -> None:
        registry.bearer, registry.scope = "token", "repository:user/image:pull"
        registry.moods.append(Refuses(status=403, path="/token", times=1))

        pull(image_source(net=net), REFERENCE)

        scopes = [request.query["scope"] for request in registry.requests if request.path == "/token"]
        assert scopes == ["repository:user/image:pull", self.PULL]

    def test_a_token_without_a_scope_is_requested_last(self, net: Internet, registry: FakeRegistry) -> None:
        registry.bearer = "token"
        registry.moods.append(Refuses(status=400, path="/token", times=1))

        pull(image_source(net=net), REFERENCE)

        asked = [request.query for request in registry.requests if request.path == "/token"]
        assert asked == [{"service": "fake", "scope": self.PULL}, {"service": "fake"}]


class TestBasic:
    """The operator's credential, shown to the registry itself."""

    SECRET: ClassVar = {"registry.test": USER}

    @pytest.mark.parametrize(
        "mood",
        [
            # siderolabs/image-factory PR #573: what is named has no tokens.
            Refuses(status=404, path="/token"),
            Refuses(status=401, path="/token"),
            Refuses(status=500, path="/token"),
            Says(path="/token", body=b"<html>Sign in</html>"),
            Says(path="/token", body=b'{"token":""}'),
        ],
        ids=lambda mood: f"{type(mood).__name__}-{mood.status}",
    )
    def test_it_works_where_only_bearer_is_advertised(
        self, net: Internet, registry: FakeRegistry, mood: Refuses | Says
    ) -> None:
        registry.basic = "user:secret"
        registry.moods += [mood, answers_401('Bearer realm="https://registry.test/token"', times=1)]

        assert pull(image_source(net=net, secret=self.SECRET), REFERENCE).manifest.name == "slack"

    def test_nothing_of_it_reaches_a_token_server_elsewhere(
        self, net: Internet, registry: FakeRegistry
    ) -> None:
        auth = net.serve("auth.test")
        auth.moods.append(Refuses(status=401))
        registry.basic = "user:secret"
        registry.moods.append(answers_401("Bearer realm=https://auth.test/token", times=1))

        pull(image_source(net=net, secret=self.SECRET), REFERENCE)

        assert set(shown(auth)) == {None}
        assert shown(registry) == [None, BASIC, BASIC]

    def test_it_is_shown_when_a_token_is_refused_and_basic_offered(
        self, net: Internet, registry: FakeRegistry
    ) -> None:
        """goharbor/harbor #18856."""
        registry.basic = "user:secret"
        registry.moods += [
            Says(path="/token", body=b'{"token":"not-enough"}'),
            answers_401('Bearer realm="https://registry.test/token"', times=1),
        ]

        pull(image_source(net=net, secret=self.SECRET), REFERENCE)

        assert shown(registry) == [None, BASIC, "Bearer not-enough", BASIC, BASIC]

    def test_without_one_a_token_server_without_tokens_is_the_registry_s_fault(
        self, net: Internet, registry: FakeRegistry
    ) -> None:
        registry.moods += [
            Says(path="/token", body=b"<html>Sign in</html>"),
            answers_401('Bearer realm="https://registry.test/token"'),
        ]

        with pytest.raises(RegistryUnavailable, match="gave no token"):
            pull(image_source(net=net), REFERENCE)

    def test_a_wrong_one_ends_the_read_soon(self, net: Internet, registry: FakeRegistry) -> None:
        registry.moods += [
            Says(path="/token", body=b'{"token":"token"}'),
            answers_401('Bearer realm="https://registry.test/token", Basic realm=x'),
        ]

        refused(image_source(net=net, secret=self.SECRET))

        assert len(registry.requests) == 6


class TestRegistriesThatRedirectToOthers:
    """nix-community/docker-nixpkgs #55 and siderolabs/image-factory #73: the other one wants a token."""

    @pytest.fixture
    def other(self, net: Internet, registry: FakeRegistry) -> FakeRegistry:
        """The registry that has the image, to which `registry.test` redirects."""
        other = stocked(net.serve("other.test"))
        other.bearer = "token"
        registry.moods.append(Redirects(base_url=other.url, path="/v2/"))
        return other

    def test_the_other_registry_s_token_is_requested_anonymously(
        self, net: Internet, registry: FakeRegistry, other: FakeRegistry
    ) -> None:
        pulled = pull(image_source(net=net, secret={"registry.test": USER, "other.test": USER}), REFERENCE)

        assert pulled.manifest.name == "slack"
        assert set(shown(registry)) == {None}
        assert set(shown(other)) == {None, "Bearer token"}
        assert {request.query.get("scope") for request in other.requests} == {
            None,
            "repository:acme/slack:pull",
        }

    def test_the_token_is_for_the_repository_as_the_other_one_calls_it(
        self, net: Internet, registry: FakeRegistry
    ) -> None:
        other = stocked(net.serve("other.test"), "mirrors/slack")
        other.bearer = "token"
        location = f"{other.url}/v2/mirrors/slack/manifests/latest"
        registry.moods.append(Says(status=307, headers=(("Location", location),), path="/manifests/"))

        assert pull(image_source(net=net), REFERENCE).manifest.name == "slack"
        assert other.requests[1].query["scope"] == "repository:mirrors/slack:pull"

    def test_one_that_wants_a_login_is_named(self, net: Internet, other: FakeRegistry) -> None:
        other.bearer, other.basic = None, "user:secret"

        with pytest.raises(InvalidRequest) as error:
            pull(image_source(net=net, secret={"registry.test": USER, "other.test": USER}), REFERENCE)

        assert error.value.fields == {
            "image_ref": "registry.test/acme/slack:latest is kept at other.test, to which its registry redirects; "
            "there it does not exist, or may not be pulled without a login; name the image as other.test has it"
        }
        assert set(shown(other)) == {None}

    def test_an_image_that_the_other_one_does_not_have_does_not_exist(
        self, net: Internet, other: FakeRegistry
    ) -> None:
        other.bearer = None
        other.shelves.repositories.clear()

        refused(image_source(net=net))

    @pytest.mark.usefixtures("other")
    def test_a_token_server_of_the_other_one_is_held_to_the_guard_too(
        self, net: Internet, other: FakeRegistry
    ) -> None:
        other.realm = "https://169.254.169.254/token"

        refused(image_source(net=net))
        assert "169.254.169.254" not in net.connected

    def test_a_third_one_is_not_followed(self, net: Internet, other: FakeRegistry) -> None:
        third = stocked(net.serve("third.test"))
        third.bearer = "another"
        other.moods += [
            answers_401('Bearer realm="https://other.test/token"', path="/manifests/", times=1),
            Redirects(base_url=third.url, path="/manifests/"),
        ]

        with pytest.raises(InvalidRequest, match=r"is kept at other\.test,"):
            pull(image_source(net=net), REFERENCE)
        assert set(shown(third)) == {None}


class TestOurOwnRegistry:
    REFERENCE = "own.test/packs/org_test/slack"

    @pytest.fixture
    def own(self, net: Internet) -> FakeRegistry:
        """Our own registry, at an address that is not public."""
        registry = net.serve("own.test")
        for org in ("org_test", "org_test2"):
            stocked(registry, f"packs/{org}/slack")
        net.names["own.test"] = [["10.0.0.1"]]
        net.ports["10.0.0.1"] = registry.port
        registry.basic = "AWS:own"
        return registry

    def test_one_s_own_image_is_read_with_our_credential(self, net: Internet, own: FakeRegistry) -> None:
        pulled = pull(image_source(net=net, own=own.url, own_user="AWS:own"), self.REFERENCE)

        assert pulled.manifest.name == "slack"

    @pytest.mark.parametrize(
        "reference",
        ["own.test/packs/org_test2/slack", "own.test/packs/slack", "OWN.test:443/acme/org_test/slack"],
    )
    def test_another_s_is_as_good_as_none(self, net: Internet, own: FakeRegistry, reference: str) -> None:
        refused(image_source(net=net, own=own.url, own_user="AWS:own"), reference)
        assert own.requests == []

    def test_a_stranger_cannot_lead_us_there(
        self, net: Internet, own: FakeRegistry, registry: FakeRegistry
    ) -> None:
        registry.moods.append(Redirects(base_url=own.url))

        refused(image_source(net=net, own=own.url, own_user="AWS:own"))
        assert own.requests == []
