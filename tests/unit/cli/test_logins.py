import base64
import json
from pathlib import Path

import pytest
from tests.command import URL, Command, received

from packyard_cli.failure import Exit, Failure
from packyard_cli.keyrings import SystemKeyring
from packyard_cli.settings import Profiles, checked_url

OTHER = "https://globex.packyard.test/v1"


class Backend:
    """A keyring of the package `keyring`, in memory."""

    name = "memory"

    def __init__(self, *, locked: bool = False) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self._locked = locked

    def set_password(self, service: str, name: str, token: str) -> None:
        if self._locked:
            raise RuntimeError("locked")
        self.kept[service, name] = token

    def get_password(self, service: str, name: str) -> str | None:
        return self.kept.get((service, name))

    def delete_password(self, service: str, name: str) -> None:
        del self.kept[service, name]


@pytest.fixture
def answering(packyard: Command) -> Command:
    """A command without a token, and a service that takes any."""
    packyard.gateway.instead("GET", "", lambda _: received(200, {"packs": []}))
    del packyard.environment["PACKYARD_TOKEN"], packyard.environment["PACKYARD_URL"]
    return packyard


def test_a_keyring_keeps_the_token_where_there_is_one(answering: Command, tmp_path: Path) -> None:
    backend = Backend()
    answering.keyring = SystemKeyring(backend)

    ran = answering("login", URL, stdin="sk_secret")

    assert "keyring of this system (memory)" in ran.out
    assert list(backend.kept.values()) == ["sk_secret"]
    assert not (tmp_path / "home" / "config" / "tokens.json").exists()
    assert answering("list").exit_code == 0
    assert answering.gateway.headers[-1]["Authorization"] == "Bearer sk_secret"
    answering("logout")
    assert backend.kept == {}


def test_a_keyring_that_does_not_open_is_replaced_by_a_file(answering: Command, tmp_path: Path) -> None:
    answering.keyring = SystemKeyring(Backend(locked=True))

    assert "tokens.json" in answering("login", URL, stdin="sk_secret").out
    assert (tmp_path / "home" / "config" / "tokens.json").exists()


def test_profiles_are_kept_apart(answering: Command) -> None:
    answering("login", URL, "--profile", "one", stdin="sk_one")
    answering("login", OTHER, "--profile", "two", stdin="sk_two")

    answering("list", "--profile", "one")
    answering("list")

    sent = [
        (url.partition("/packs")[0], headers["Authorization"])
        for (_, url), headers in zip(answering.gateway.sent[-2:], answering.gateway.headers[-2:], strict=True)
    ]
    assert sent == [(URL, "Bearer sk_one"), (OTHER, "Bearer sk_two")]


def test_a_profile_that_is_not_known_has_its_own_exit_code(answering: Command) -> None:
    answering("login", URL, "--profile", "one", stdin="sk_one")

    ran = answering("list", "--profile", "tow")

    assert ran.exit_code == 14
    assert ran.err == (
        "packyard: There is no profile 'tow'; known: one.\n"
        "  Name another one, or make it: packyard login URL --profile tow\n"
    )
    assert answering("logout", "--profile", "tow").exit_code == 14


def test_a_profile_s_token_is_not_sent_to_another_service(answering: Command) -> None:
    answering("login", URL, stdin="sk_one")

    assert answering("list", "--url", OTHER).exit_code == 4


def test_the_environment_wins_over_profiles(answering: Command) -> None:
    answering("login", URL, stdin="sk_one")
    answering.environment |= {"PACKYARD_URL": OTHER, "PACKYARD_TOKEN": "sk_env"}

    answering("list")

    assert answering.gateway.sent[-1][1].startswith(OTHER)
    assert answering.gateway.headers[-1]["Authorization"] == "Bearer sk_env"


def test_a_damaged_profile_file_says_what_to_remove(answering: Command, tmp_path: Path) -> None:
    answering("login", URL, stdin="sk_one")
    (tmp_path / "home" / "config" / "profiles.json").write_text("{")

    ran = answering("list")

    assert ran.exit_code == 14
    assert "Remove that file" in ran.err


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "[" * 20_000,
        '{"current": ["default"], "profiles": {}}',
        '{"profiles": []}',
        '{"profiles": {"default": "https://packyard.example/v1"}}',
        '{"profiles": {"default": {"url": 5}}}',
    ],
)
def test_a_profile_file_of_another_form_is_damaged_too(tmp_path: Path, content: str) -> None:
    (tmp_path / "profiles.json").write_text(content)

    with pytest.raises(Failure, match="is damaged") as refused:
        Profiles(folder=tmp_path, environment={}, keyring=None).login(profile=None, url=None)

    assert refused.value.exit_code is Exit.NO_PROFILE


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://packyard.example/v1", "plain http"),
        ("ftp://packyard.example", "not the address"),
        ("packyard.example/v1", "not the address"),
        ("https://me:secret@packyard.example/v1", "holds a password"),
        ("http://[::1/v1", "not the address"),
        ("https://packyard.example:65536/v1", "not the address"),
        ("https://packyard.example:port/v1", "not the address"),
        ("https://pack yard.example/v1", "not the address"),
        ("https://packyard..example/v1", "not the address"),
        (f"https://{'a' * 64}.example/v1", "not the address"),
        ("https://packyard.example/v1\x1b[31m", "not the address"),
    ],
)
def test_an_address_that_is_none_is_refused(url: str, said: str) -> None:
    with pytest.raises(Failure, match=said) as refused:
        checked_url(url)

    assert refused.value.exit_code is Exit.USAGE


@pytest.mark.parametrize("url", ["http://127.0.0.1:4566/x/", "http://localhost:1/v1", "http://[::1]:1/v1"])
def test_this_machine_is_reached_by_plain_http(url: str) -> None:
    assert checked_url(url) == url.rstrip("/")


@pytest.mark.parametrize("token", ["", "two words", "sk_\u00e9"])
def test_a_token_that_is_none_is_refused_before_it_is_sent(answering: Command, token: str) -> None:
    assert answering("login", URL, stdin=token).exit_code == 2
    assert answering.gateway.sent == []


def test_what_a_jwt_says_of_itself_is_shown_as_its_word(answering: Command) -> None:
    claims = base64.urlsafe_b64encode(
        json.dumps({"sub": "ann", "exp": 1735689600, "x": "y"}).encode()
    ).decode()
    answering.environment |= {"PACKYARD_URL": URL, "PACKYARD_TOKEN": f"eyJ.{claims.rstrip('=')}.sig"}

    ran = answering("whoami")

    assert "sub           ann (as the token says)" in ran.out
    assert "exp           2025-01-01T00:00:00Z (as the token says)" in ran.out
    assert "not known: it has no pack yet" in ran.out


def test_a_login_elsewhere_than_at_a_service_is_refused(answering: Command) -> None:
    answering.gateway.answers.clear()
    answering.gateway.instead("GET", "", lambda _: received(200, {"hello": "world"}))

    ran = answering("login", URL, stdin="sk_one")

    assert ran.exit_code == 8
    assert "is no Packyard service" in ran.err


def test_without_any_login_it_is_said_how_to_get_one(answering: Command) -> None:
    ran = answering("list")

    assert ran.exit_code == 4
    assert "packyard login URL" in ran.err
