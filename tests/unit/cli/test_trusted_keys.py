"""The keys that a user trusts: kept for each deployment, and added by the user alone after the first use."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.command import URL, Command, received
from tests.signing import FakeSigner

from packyard.attestations.public_key import PublicKey
from packyard_cli.failure import Exit, Failure
from packyard_cli.trusted_keys import TrustedKeys

KEY = FakeSigner().public_key()
OTHER = FakeSigner().public_key()
# The set digest of no packs.
_NO_PACKS = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ELSEWHERE = "https://other.packyard.test/v1"


def offers(packyard: Command, *keys: PublicKey, **fields: Any) -> None:
    """Let the deployment offer keys, the first of which is its present one."""
    listed = [
        {"id": key.id, "pem": key.pem, "current": number == 0, **fields} for number, key in enumerate(keys)
    ]
    packyard.gateway.answers.clear()
    packyard.gateway.instead("GET", r"/keys\.json", lambda _: received(200, {"keys": listed}))


def trusted(packyard: Command) -> list[str]:
    """Return the ids of all trusted keys."""
    return packyard("trust", "keys", "list", "--quiet").out.split()


def test_a_deployment_without_keys_is_known_and_one_that_was_never_asked_is_not(tmp_path: Path) -> None:
    store = TrustedKeys(folder=tmp_path / "keys", now=lambda: "2026-03-01T12:00:00Z")

    assert store.of(URL) is None
    assert [each.key for each in store.add(URL, [KEY, KEY, OTHER], how="add")] == [KEY, OTHER]
    assert store.add(URL, [OTHER], how="pin") == ()
    store.add(ELSEWHERE, [OTHER], how="first use")
    for key in (KEY, OTHER):
        store.remove(URL, key.id)

    assert store.of(URL) == ()
    assert {url: [each.key for each in keys] for url, keys in store.all().items()} == {
        URL: [],
        ELSEWHERE: [OTHER],
    }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"trusted_keys_version": 2}',
        b'{"trusted_keys_version": 1, "url": "u", "keys": [{"id": "x", "pem": "y", "since": "", "how": ""}]}',
        b'{"trusted_keys_version": 1, "url": "u", "keys": [1]}',
    ],
    ids=lambda content: content[:40].decode(errors="replace"),
)
def test_a_damaged_file_is_never_taken_for_no_keys(tmp_path: Path, content: bytes) -> None:
    store = TrustedKeys(folder=tmp_path)
    store.add(URL, [KEY], how="add")
    [file] = tmp_path.iterdir()
    file.write_bytes(content)

    for ask in (lambda: store.of(URL), store.all, lambda: store.add(URL, [OTHER], how="add")):
        with pytest.raises(Failure) as refused:
            ask()
        assert refused.value.exit_code is Exit.UNPROVED
    assert file.read_bytes() == content


def test_keys_of_a_file_are_trusted_and_removed_again(packyard: Command, tmp_path: Path) -> None:
    file = tmp_path / "keys.pem"
    file.write_text(f"# from the operator\n{OTHER.pem}")
    refused = packyard("trust", "keys", "add", file)
    file.write_text(KEY.pem + OTHER.pem)

    added = packyard("trust", "keys", "add", file, "--json")
    again = packyard("trust", "keys", "add", "-", stdin=KEY.pem)
    other = packyard("trust", "keys", "list", "--url", ELSEWHERE, "--json")
    removed = packyard("trust", "keys", "remove", f"sha256:{KEY.id[:12].upper()}", "--yes")
    kept = packyard("trust", "keys", "remove", OTHER.id)

    assert refused.exit_code == 2
    assert added.document == {"url": URL, "added": [KEY.id, OTHER.id]}
    assert "was trusted before" in again.out
    assert other.document == {"services": [{"url": ELSEWHERE, "keys": []}]}
    assert removed.exit_code == 0
    assert kept.exit_code == 2
    assert trusted(packyard) == [OTHER.id]


def _pem(key: Any) -> str:
    return PublicKey(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).pem


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no key",
        KEY.pem.replace("M", "?", 1),
        _pem(ec.generate_private_key(ec.SECP384R1())),
        _pem(rsa.generate_private_key(65537, 2048)),
        PublicKey(b"no key").pem,
    ],
    ids=["empty", "text", "no base64", "P-384", "RSA", "no DER"],
)
def test_what_is_no_key_on_p_256_is_not_trusted(packyard: Command, tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.pem").write_text(text)

    assert packyard("trust", "keys", "add", tmp_path / "keys.pem").exit_code == 2
    assert packyard("trust", "keys", "add", tmp_path / "none.pem").exit_code == 2
    assert trusted(packyard) == []


def test_only_the_user_adds_a_key_that_a_deployment_offers_later(packyard: Command) -> None:
    offers(packyard, KEY)
    first = packyard("trust", "keys", "pin", URL, "--yes", "--json")
    offers(packyard, OTHER, KEY)
    no = packyard("trust", "keys", "pin", URL, stdin="n\n", tty=True)
    before = trusted(packyard)
    yes = packyard("trust", "keys", "pin", URL, stdin="y\n", tty=True)

    assert first.document["added"] == [KEY.id]
    assert no.exit_code == 130
    assert OTHER.id in no.err
    assert before == [KEY.id]
    assert yes.exit_code == 0
    assert trusted(packyard) == [KEY.id, OTHER.id]
    # Nothing of the login is needed, and nothing of it is sent.
    assert all("Authorization" not in headers for headers in packyard.gateway.headers)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"keys": 1},
        {"keys": [{}]},
        {"keys": [{"id": OTHER.id, "pem": KEY.pem}]},
        {"keys": [{"id": KEY.id, "pem": KEY.pem}] * 101},
    ],
    ids=["nothing", "a list", "a number", "no key", "the id of another key", "too many"],
)
def test_a_deployment_that_answers_something_else_is_not_trusted(packyard: Command, body: Any) -> None:
    packyard.gateway.instead("GET", r"/keys\.json", lambda _: received(200, body))

    ran = packyard("trust", "keys", "pin", URL, "--yes")

    assert ran.exit_code == 8
    assert trusted(packyard) == []


def test_a_deployment_that_does_not_sign_has_no_keys_to_trust(packyard: Command) -> None:
    offers(packyard)
    assert packyard("trust", "keys", "pin", URL, "--yes").exit_code == 19


def test_a_login_trusts_keys_at_first_use_alone(packyard: Command) -> None:
    def login() -> Any:
        packyard.gateway.instead("GET", "/packs", lambda _: received(200, {"packs": []}))
        return packyard("login", URL, "--json", stdin="sk_acme").document["trusted_keys"]

    unknown = login()
    offers(packyard, KEY)
    first = login()
    offers(packyard, OTHER, KEY)

    assert unknown == []
    assert first == login() == [KEY.id]
    packyard.gateway.instead("GET", "/packs", lambda _: received(200, {"packs": []}))
    assert f"sha256:{OTHER.id}" in packyard("login", URL, stdin="sk_acme").out


def test_keys_that_cannot_be_kept_are_trusted_for_one_command(
    packyard: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("packyard_cli.trusted_keys.write_whole", refuse)
    offers(packyard, KEY)
    lock = {"lock_version": 1, "role_id": "r", "revision": 1, "packs": [], "set_digest": _NO_PACKS}
    packyard.gateway.instead("GET", "/lock", lambda _: received(200, lock))

    ran = packyard("install", "r", "--into", tmp_path / "packs")

    assert ran.exit_code == 0, ran.err
    assert "only this command trusts it" in ran.err
    assert trusted(packyard) == []
