import socket
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import pytest

from packyard.network.guard import (
    Guard,
    NameServiceFailed,
    Origin,
    TargetRefused,
    TrustedHosts,
    origin_of,
    resolve_name,
)

PUBLIC, OTHER, PRIVATE = "93.184.215.1", "2606:2800::1", "10.0.0.1"
REGISTRY = Origin("https", "registry.test", 443)


class Network:
    """Remembers what it was asked for; addresses in `down` do not answer."""

    def __init__(self, *answers: Sequence[str], down: Sequence[str] = ()) -> None:
        self.answers = list(answers)
        self.down = down
        self.tried: list[tuple[str, int, float]] = []

    def resolve(self, host: str, port: int) -> Sequence[str]:
        assert (host, port) == ("registry.test", 443)
        return self.answers.pop(0)

    def connect(self, address: str, port: int, timeout: float) -> socket.socket:
        self.tried.append((address, port, timeout))
        if address in self.down:
            raise ConnectionRefusedError
        return socket.socket()

    def open(self, trusted: str = "") -> list[str]:
        guard = Guard(trusted=TrustedHosts.parse(trusted), resolve=self.resolve, connect=self.connect)
        guard.open(REGISTRY, lambda: 3.5).close()
        return [address for address, _, _ in self.tried]


def guard_of(trusted: str = "") -> Guard:
    network = Network()
    return Guard(trusted=TrustedHosts.parse(trusted), resolve=network.resolve, connect=network.connect)


class TestConnecting:
    def test_the_address_that_was_checked_is_the_one_connected_to(self) -> None:
        network = Network([PUBLIC], [PRIVATE])

        assert network.open() == [PUBLIC]
        assert network.answers == [[PRIVATE]]  # there was no second lookup
        assert network.tried == [(PUBLIC, 443, 3.5)]

    @pytest.mark.parametrize(
        "addresses",
        [
            [],
            [PRIVATE],
            [PUBLIC, PRIVATE],
            [PRIVATE, PUBLIC],
            [PUBLIC, OTHER, "::1"],
            ["169.254.169.254"],
            ["x"],
        ],
        ids=str,
    )
    def test_one_address_that_is_not_public_is_enough_to_refuse(self, addresses: list[str]) -> None:
        network = Network(addresses)

        with pytest.raises(TargetRefused):
            network.open()
        assert network.tried == []

    def test_a_trusted_host_may_have_any_address(self) -> None:
        assert Network([PRIVATE]).open("registry.test") == [PRIVATE]

    def test_no_host_is_there_without_an_address_trusted_or_not(self) -> None:
        with pytest.raises(TargetRefused):
            Network([]).open("registry.test")

    def test_the_next_address_is_tried_when_one_does_not_answer(self) -> None:
        assert Network([PUBLIC, OTHER], down=[PUBLIC]).open() == [PUBLIC, OTHER]

    def test_not_more_than_three_addresses_are_tried(self) -> None:
        addresses = [f"93.184.215.{number}" for number in range(1, 9)]
        network = Network(addresses, down=addresses)

        with pytest.raises(ConnectionRefusedError):
            network.open()
        assert [address for address, _, _ in network.tried] == addresses[:3]


class TestUrls:
    @pytest.mark.parametrize(
        ("url", "origin", "target"),
        [
            ("https://a.test", Origin("https", "a.test", 443), "/"),
            ("https://A.Test:443/x?y=z&&#w", Origin("https", "a.test", 443), "/x?y=z&&"),
            ("https://a.test:8443/x", Origin("https", "a.test", 8443), "/x"),
            ("https://my_bucket.s3.test/", Origin("https", "my_bucket.s3.test", 443), "/"),
        ],
    )
    def test_https_may_lead_anywhere(self, url: str, origin: Origin, target: str) -> None:
        assert guard_of().target_of(url) == (origin, target)

    @pytest.mark.parametrize(
        "url",
        [
            "http://a.test/",
            "ftp://a.test/",
            "file:///etc/passwd",
            "//a.test/",
            "/x",
            "",
            "https:///x",
            "https://user@a.test/",
            "https://user:secret@a.test/",
            "https://@a.test/",
            "https://[::1]/",
            "https://[::1/",
            "https://a.test:99999/",
            "https://a.test:x/",
            "https://a.test\\@b.test/",
            "https://a b.test/",
            "https://a.test%2eb.test/",
            "https://bücher.test/",
            f"https://{'a' * 300}/",
            f"https://a.test/{'a' * 9000}",
        ],
        ids=lambda url: str(url)[:40],
    )
    def test_anything_else_is_refused(self, url: str) -> None:
        with pytest.raises(TargetRefused):
            guard_of().target_of(url)

    def test_without_tls_only_a_host_that_the_operator_named_so_is_asked(self) -> None:
        guard = guard_of("http://plain.test:5000,tls.test:5000")

        assert guard.target_of("http://plain.test:5000/x")[0].port == 5000
        for url in ("http://plain.test/", "http://tls.test:5000/", "http://plain.test:5001/"):
            with pytest.raises(TargetRefused):
                guard.target_of(url)


class TestTrust:
    @pytest.mark.parametrize(
        ("setting", "registry", "scheme"),
        [
            ("", "a.test", None),
            ("a.test", "a.test", "https"),
            ("A.Test", "a.test", "https"),
            ("a.test", "a.test:5000", None),
            ("a.test", "b.a.test", None),
            ("a.test:5000", "a.test:5000", "https"),
            ("a.test:5000", "a.test", None),
            ("a.test:*", "a.test:5000", "https"),
            ("a.test:*", "a.test", "https"),
            ("http://a.test:5000", "a.test:5000", "http"),
            ("http://a.test", "a.test", "http"),
            ("127.0.0.1:*", "127.0.0.1:5000", "http"),
            ("127.0.0.1:*", "127.0.0.2:5000", None),
            ("localhost:5000", "localhost:5000", "http"),
            ("localhost.test:5000", "localhost.test:5000", "https"),
            (" a.test , , b.test:5000,", "b.test:5000", "https"),
        ],
    )
    def test_a_host_is_trusted_as_the_setting_says(
        self, setting: str, registry: str, scheme: str | None
    ) -> None:
        assert TrustedHosts.parse(setting).scheme_of(registry) == scheme

    @pytest.mark.parametrize(
        "setting",
        ["*", "*:5000", "a.test:x", "a.test:0", "https://a.test", "a.test/x", "[::1]:5000", "*.test"],
    )
    def test_a_setting_that_cannot_be_read_is_an_error(self, setting: str) -> None:
        with pytest.raises(ValueError, match="registry"):
            TrustedHosts.parse(setting)

    def test_one_more_host_can_be_trusted(self) -> None:
        both = TrustedHosts.parse("a.test").with_origin(origin_of("http://b.test:5000/"))

        assert (both.scheme_of("a.test"), both.scheme_of("b.test:5000")) == ("https", "http")


class TestNames:
    def test_an_address_is_its_own(self) -> None:
        assert resolve_name("127.0.0.1", 443) == ("127.0.0.1",)

    def test_each_address_is_named_once(self) -> None:
        def lookup(*_: object, **__: object) -> list[tuple[Any, ...]]:
            return [(0, 0, 0, "", (address, 443)) for address in (PUBLIC, OTHER, PUBLIC)]

        assert resolve_name("registry.test", 443, lookup=lookup) == (PUBLIC, OTHER)

    def test_a_name_service_that_fails_is_not_a_name_that_does_not_exist(self) -> None:
        def fails(code: int) -> Callable[..., NoReturn]:
            def lookup(*_: object, **__: object) -> NoReturn:
                raise socket.gaierror(code, "as the test wants it")

            return lookup

        assert resolve_name("registry.test", 443, lookup=fails(socket.EAI_NONAME)) == ()
        with pytest.raises(NameServiceFailed):
            resolve_name("registry.test", 443, lookup=fails(socket.EAI_AGAIN))

    def test_other_notations_of_an_address_are_recognised(self) -> None:
        assert resolve_name("127.1", 443) == ("127.0.0.1",)

    @pytest.mark.parametrize("name", ["a..test", f"{'a' * 64}.test"])
    def test_what_cannot_be_a_name_has_no_address(self, name: str) -> None:
        assert resolve_name(name, 443) == ()
