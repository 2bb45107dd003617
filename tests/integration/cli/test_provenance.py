"""Where packs come from: proved while they are installed, and again, offline, from what an installation keeps."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.attesting import Attesting
from tests.aws import new_signing_key
from tests.command import URL, Command, Ran, received
from tests.role_contract import RoleContract
from tests.service import ACME, PackArchive, Service
from tests.signing import FakeSigner

from packyard_cli.pulled import RECORD_FOLDER
from packyard_cli.wire import Received

FILE = "slack/guides/post.md"


@pytest.fixture
def contract(service: Service, packyard: Command) -> RoleContract:
    packyard.gateway.signs = True
    return RoleContract(service, packyard.gateway)


@pytest.fixture
def attesting(service: Service) -> Attesting:
    return Attesting(service)


@pytest.fixture
def support(contract: RoleContract, service: Service, attesting: Attesting) -> dict[str, Any]:
    """A role that pins a pack about whose image everything is signed; its lock."""
    pack_id = service.upload(PackArchive(name="slack").build()).body["id"]
    attesting.carry()
    return contract.pin("support", pack_id)


def asked(packyard: Command, ending: str) -> int:
    """Return how often something was asked for."""
    return sum(path.endswith(ending) for path in packyard.gateway.paths("GET"))


def instead(packyard: Command, change: Callable[[dict[str, Any]], object]) -> None:
    """Let the service answer something else about what is signed."""
    taken = packyard.gateway.send

    def answer(_: int) -> Received | None:
        method, url = packyard.gateway.sent[-1]
        headers = packyard.gateway.headers[-1]
        packyard.gateway.answers.remove(entry)
        try:
            body = json.loads(taken(method, url, headers=headers).read(1 << 26))
        finally:
            packyard.gateway.answers.append(entry)
        change(body)
        return received(200, body)

    packyard.gateway.instead("GET", "/attestations", answer)
    entry = packyard.gateway.answers[-1]


def code_of(ran: Ran) -> tuple[int, str]:
    """Return how a command failed."""
    return ran.exit_code, ran.document["error"]["code"]


@pytest.mark.usefixtures("support")
def test_an_install_trusts_the_keys_at_first_use_and_proves_every_pack(
    packyard: Command, attesting: Attesting, tmp_path: Path
) -> None:
    ran = packyard("install", "support", "--into", tmp_path / "packs")

    [key_id] = attesting.trusted()
    assert ran.exit_code == 0, ran.err
    assert key_id in ran.err
    assert "slack 1.4.0 (revision 1), proved" in ran.out
    assert sorted(place.name for place in (tmp_path / "packs" / RECORD_FOLDER).iterdir()) == [
        "provenance.json",
        "slack.bom.sigstore.json",
        "slack.provenance.sigstore.json",
    ]
    again = packyard("install", "support", "--into", tmp_path / "packs", "--json")
    assert again.document["packs"][0]["provenance"] == "proved"
    assert again.document["packs"][0]["key_id"] == key_id
    assert (asked(packyard, "/attestations"), asked(packyard, "/keys.json")) == (1, 1)
    assert packyard("keys", "list").exit_code == 0


def test_an_installation_is_proved_again_offline_and_explained(
    packyard: Command, support: dict[str, Any], tmp_path: Path
) -> None:
    packyard("install", "support", "--into", tmp_path / "packs")
    packyard.gateway.service = None
    packyard.gateway.answers.clear()
    sent = len(packyard.gateway.sent)

    ran = packyard("verify", tmp_path / "packs", "--explain", FILE, "--require-provenance")
    document = packyard("verify", tmp_path / "packs", "--explain", FILE, "--json").document

    assert ran.exit_code == 0, ran.out
    assert len(packyard.gateway.sent) == sent
    [key_id] = packyard("trust", "keys", "list", "--quiet").out.split()
    [chain] = document["chains"]
    pack = support["packs"][0]
    assert document["provenance"] == [
        {"pack_id": pack["id"], "name": "slack", "provenance": "proved", "key_id": key_id}
    ]
    assert chain["file"]["digest"] == next(
        f["digest"] for f in pack["files"] if f["path"] == "guides/post.md"
    )
    assert chain["layer"] == pack["layers"][0]["digest"]
    assert chain["image"] == pack["image"]
    assert chain["key"]["id"] == key_id
    assert chain["publisher"]["organisation"] == ACME.org_id
    for link in ("file", "layer", "image", "attestation", "key", "publisher", "commit"):
        assert f"  {link} " in ran.out
    assert "1 of 1 pack proved" in ran.out
    assert packyard("verify", tmp_path / "packs", "--explain", "no/such").exit_code == 6
    assert packyard("verify", tmp_path / "packs", "--explain", tmp_path / "packs" / FILE).exit_code == 0
    assert packyard("verify", tmp_path / "packs", "--explain").out.startswith("slack 1.4.0: proved")


def test_a_changed_file_is_a_difference_although_its_pack_is_proved(
    packyard: Command, support: dict[str, Any], tmp_path: Path
) -> None:
    packyard("install", "support", "--into", tmp_path / "packs")
    (tmp_path / "packs" / FILE).write_text("# Other\n")

    ran = packyard("verify", tmp_path / "packs", "--explain", FILE, "--json")

    assert support
    assert ran.exit_code == 11
    assert ran.document["chains"][0]["file"]["is"] == "other content"


def test_what_an_installation_keeps_must_verify(
    packyard: Command, support: dict[str, Any], tmp_path: Path
) -> None:
    packyard("install", "support", "--into", tmp_path / "packs")
    kept = tmp_path / "packs" / RECORD_FOLDER / "slack.bom.sigstore.json"
    whole = kept.read_bytes()

    kept.write_bytes(whole.replace(b'"sig":"', b'"sig":"AA'))
    damaged = packyard("verify", tmp_path / "packs", "--json")
    kept.unlink()
    missing = packyard("verify", tmp_path / "packs", "--json")
    kept.write_bytes(whole)
    (kept.parent / "more").write_bytes(b"")
    more = packyard("verify", tmp_path / "packs", "--json")

    assert support
    assert (damaged.exit_code, missing.exit_code, more.exit_code) == (10, 10, 11)
    assert damaged.document["provenance"][0]["provenance"] == "refused"
    assert more.document["faults"] == [{"path": f"{RECORD_FOLDER}/more", "reason": "unexpected"}]


def test_an_installation_is_moved_to_a_machine_that_trusts_no_key(
    packyard: Command, support: dict[str, Any], tmp_path: Path
) -> None:
    packyard("install", "support", "--into", tmp_path / "packs")
    packyard.environment["PACKYARD_CONFIG_DIR"] = str(tmp_path / "elsewhere")

    lenient = packyard("verify", tmp_path / "packs", "--explain", "--json")
    strict = packyard("verify", tmp_path / "packs", "--require-provenance", "--json")

    assert support
    assert (lenient.exit_code, strict.exit_code) == (0, 19)
    assert lenient.document["provenance"][0]["provenance"] == "untrusted_key"
    assert "which you do not trust for" in lenient.document["chains"][0]["failure"]


def _forget_statements(packyard: Command) -> None:
    shutil.rmtree(Path(packyard.environment["PACKYARD_CACHE_DIR"]) / "statements")


def test_a_new_key_of_the_deployment_is_refused_until_the_user_trusts_it(
    packyard: Command,
    support: dict[str, Any],
    contract: RoleContract,
    service: Service,
    attesting: Attesting,
) -> None:
    into = packyard.home / "packs"
    packyard("install", "support", "--into", into)
    new_signing_key(service.services.kms, 2)
    service.new_process()
    jira = service.upload(PackArchive(name="jira").build()).body["id"]
    attesting.carry()
    contract.pin("support", support["packs"][0]["id"], jira)

    refused = packyard("install", "support", "--into", into, "--json")
    nobody = packyard("trust", "keys", "pin", URL)
    pinned = packyard("trust", "keys", "pin", URL, "--yes", "--json")
    before = (into / "jira").exists()
    installed = packyard("install", "support", "--into", into, "--json")

    assert code_of(refused) == (19, "untrusted_key")
    assert not before
    assert f"packyard trust keys pin {URL}" in refused.document["error"]["advice"]
    assert nobody.exit_code == 2
    assert pinned.document["added"] == [refused.document["error"]["details"]["key_id"]]
    assert [pack["provenance"] for pack in installed.document["packs"]] == ["proved", "proved"]


def test_a_key_that_the_user_removes_is_trusted_no_more(
    packyard: Command, support: dict[str, Any], attesting: Attesting, tmp_path: Path
) -> None:
    packyard("install", "support", "--into", tmp_path / "packs")
    [(key_id, pem)] = attesting.trusted().items()
    (tmp_path / "key.pem").write_text(pem)

    unknown = packyard("trust", "keys", "remove", key_id[:7], "--yes")
    removed = packyard("trust", "keys", "remove", key_id[:8], "--yes", "--json")
    refused = packyard("install", "support", "--into", tmp_path / "packs", "--json")
    added = packyard("trust", "keys", "add", tmp_path / "key.pem", "--json")
    installed = packyard("install", "support", "--into", tmp_path / "packs")

    assert support
    assert unknown.exit_code == 6
    assert removed.document == {"url": URL, "removed": key_id}
    assert code_of(refused) == (19, "untrusted_key")
    assert added.document["added"] == [key_id]
    assert installed.exit_code == 0


def _other_key(body: dict[str, Any]) -> None:
    # As if somebody had put his own statements in their place.
    hint = FakeSigner().public_key().hint
    for statement in body["statements"]:
        statement["bundle"]["verificationMaterial"]["publicKey"]["hint"] = hint


def _swapped(body: dict[str, Any]) -> None:
    one, other = body["statements"]
    one["bundle"]["dsseEnvelope"]["payload"] = other["bundle"]["dsseEnvelope"]["payload"]


@pytest.mark.parametrize(
    ("change", "failure"),
    [
        pytest.param(_other_key, (19, "untrusted_key"), id="another key"),
        pytest.param(_swapped, (10, "not_proved"), id="swapped payloads"),
        pytest.param(lambda body: body["statements"].pop(), (10, "not_proved"), id="a statement is missing"),
        pytest.param(lambda body: body.pop("statements"), (8, "unavailable"), id="no answer of ours"),
        pytest.param(lambda body: body.update(statements=[{}]), (8, "unavailable"), id="no statement"),
        pytest.param(
            lambda body: body.update(attestations="pending", statements=[]),
            (8, "attestations_pending"),
            id="nothing yet",
        ),
    ],
)
def test_a_service_that_lies_gets_nothing_installed(
    packyard: Command,
    support: dict[str, Any],
    tmp_path: Path,
    change: Callable[[dict[str, Any]], object],
    failure: tuple[int, str],
) -> None:
    instead(packyard, change)

    ran = packyard("install", "support", "--into", tmp_path / "packs", "--json")

    assert support
    assert code_of(ran) == failure
    assert not (tmp_path / "packs").exists()
    accepted = packyard(
        "install", "support", "--into", tmp_path / "packs", "--no-verify-provenance", "--json"
    )
    assert accepted.document["packs"][0]["provenance"] == "not_checked"


def test_statements_about_another_pack_with_the_same_image_prove_nothing(
    packyard: Command, support: dict[str, Any], contract: RoleContract, service: Service, tmp_path: Path
) -> None:
    clone = service.send(
        "clone_pack", "POST", f"/packs/{support['packs'][0]['id']}/clone", json={"name": "copy"}
    )
    contract.pin("copies", clone.body["id"])
    original = f"/packs/{support['packs'][0]['id']}/attestations"
    statements = packyard.gateway.send("GET", f"{URL}{original}", headers={"Authorization": "Bearer sk_acme"})
    body = json.loads(statements.read(1 << 26))
    packyard.gateway.instead("GET", "/attestations", lambda _: received(200, body))

    ran = packyard("install", "copies", "--into", tmp_path / "packs", "--json")

    assert code_of(ran) == (10, "not_proved")


def test_what_is_signed_within_seconds_is_waited_for(
    packyard: Command, contract: RoleContract, service: Service, attesting: Attesting, tmp_path: Path
) -> None:
    pack_id = service.upload(PackArchive(name="slack").build()).body["id"]
    contract.pin("support", pack_id)
    packyard.sleep = lambda _: attesting.carry()

    ran = packyard("install", "support", "--into", tmp_path / "packs", "--json")

    assert ran.document["packs"][0]["provenance"] == "proved"
    assert asked(packyard, "/attestations") == 2


def test_a_pack_of_which_nothing_is_signed_is_installed_with_a_note_unless_it_was_proved_before(
    packyard: Command, support: dict[str, Any], tmp_path: Path
) -> None:
    def off(body: dict[str, Any]) -> None:
        body.update(attestations="off", statements=[])

    packyard("install", "support", "--into", tmp_path / "packs")
    _forget_statements(packyard)
    instead(packyard, off)

    before = packyard("install", "support", "--into", tmp_path / "packs", "--json")
    strict = packyard("install", "support", "--into", tmp_path / "new", "--require-provenance", "--json")
    noted = packyard("install", "support", "--into", tmp_path / "new")
    environment = {**packyard.environment, "PACKYARD_REQUIRE_PROVENANCE": "1"}
    packyard.environment = environment
    by_environment = packyard("install", "support", "--into", tmp_path / "new", "--json")

    assert support
    assert code_of(before) == code_of(strict) == code_of(by_environment) == (19, "not_signed")
    assert noted.exit_code == 0
    assert "slack 1.4.0 is not proved" in noted.err


def test_a_deployment_that_does_not_sign_is_asked_for_its_keys_alone(
    packyard: Command, support: dict[str, Any], tmp_path: Path
) -> None:
    packyard.gateway.instead("GET", r"/keys\.json", lambda _: received(200, {"keys": []}))

    ran = packyard("install", "support", "--into", tmp_path / "packs")
    strict = packyard("install", "support", "--into", tmp_path / "other", "--require-provenance", "--json")

    assert support
    assert ran.exit_code == 0
    assert "Nothing proves where the packs come from" in ran.err
    assert asked(packyard, "/attestations") == 0
    assert code_of(strict) == (19, "not_signed")
    # It has no keys that could be trusted, so those of later are trusted when it has some.
    assert packyard("trust", "keys", "list", "--json").document == {"services": []}
    assert packyard("verify", tmp_path / "packs").exit_code == 0


def test_an_offline_install_proves_packs_from_the_cache(
    packyard: Command, support: dict[str, Any], tmp_path: Path
) -> None:
    lock = tmp_path / "packyard.lock"
    packyard("lock", "support", "-o", lock)
    packyard("install", "support", "--into", tmp_path / "packs")
    packyard.gateway.service = None
    del packyard.environment["PACKYARD_URL"]
    offline = ("install", "support", "--offline", "--lock", lock, "--into", tmp_path / "offline")

    proved = packyard(*offline, "--require-provenance", "--json")
    _forget_statements(packyard)
    not_cached = packyard(*offline, "--json")
    packyard.environment["PACKYARD_CONFIG_DIR"] = str(tmp_path / "elsewhere")
    without_keys = packyard(*offline)

    assert support
    assert proved.document["packs"][0]["provenance"] == "proved"
    assert code_of(not_cached) == (8, "not_cached")
    assert without_keys.exit_code == 0
    assert "Nothing proves" in without_keys.err


def test_a_pulled_pack_is_proved_and_keeps_its_proof(
    packyard: Command, support: dict[str, Any], tmp_path: Path
) -> None:
    pulled = packyard("pull", "slack", "--into", tmp_path / "slack", "--json")
    verified = packyard("verify", tmp_path / "slack", "--explain", "guides/post.md", "--require-provenance")

    assert support
    assert pulled.document["provenance"] == "proved"
    assert verified.exit_code == 0, verified.out
    assert packyard("pull", "slack", "--into", tmp_path / "slack", "--revision", "1").exit_code == 0


def test_what_is_signed_is_saved_for_other_tools(
    packyard: Command, support: dict[str, Any], tmp_path: Path
) -> None:
    saved = tmp_path / "it's signed"
    ran = packyard("attest", "slack", "--output", saved, "--json")
    shown = packyard("attest", "slack", "--revision", "1")

    pack = support["packs"][0]
    assert ran.document["image"] == pack["image"]
    assert ran.document["provenance"] == "proved"
    assert pack["image"] in shown.out
    for name in ("image.json", "key.pem", "provenance.sigstore.json", "bom.sigstore.json"):
        assert (saved / name).stat().st_size > 0
    commands = [line for line in ran.document["verify_offline"] if line.startswith("openssl")]
    assert len(commands) == 2
    for command in commands:
        done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)  # noqa: S603
        assert done.stdout == "Verified OK\n", done.stderr


@pytest.mark.usefixtures("contract")
def test_where_nothing_is_signed_nothing_is_saved(
    packyard: Command, service: Service, attesting: Attesting
) -> None:
    service.upload(PackArchive(name="slack").build())

    assert code_of(packyard("attest", "slack", "--json")) == (8, "attestations_pending")
    attesting.carry()
    assert packyard("attest", "slack").exit_code == 0
    instead(packyard, lambda body: body.update(attestations="off", statements=[]))
    assert code_of(packyard("attest", "slack", "--json")) == (19, "not_signed")


def test_a_login_trusts_the_keys_and_says_so(
    packyard: Command, support: dict[str, Any], service: Service, attesting: Attesting
) -> None:
    first = packyard("login", URL, stdin="sk_acme")
    new_signing_key(service.services.kms, 2)
    service.new_process()
    attesting.keys()
    second = packyard("login", URL, stdin="sk_acme")

    assert support
    [old] = packyard("trust", "keys", "list", "--quiet").out.split()
    assert old in first.out
    assert "a key that you do not trust" in second.out
