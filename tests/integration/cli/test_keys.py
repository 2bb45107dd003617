from pathlib import Path

from tests.command import Command, pack_folder


def test_a_key_is_made_for_one_pack_used_listed_and_revoked(packyard: Command, tmp_path: Path) -> None:
    made = packyard("keys", "make", "CI of slack", "--pack", "slack", "--days", "7", "--json")
    listed = packyard("keys", "list", "--json").document["keys"]
    shown = packyard("keys", "list")
    assert made.exit_code == 0, made.out + made.err
    key_id = made.document["id"]
    revoked = packyard("keys", "revoke", key_id, "--yes")

    assert made.exit_code == shown.exit_code == revoked.exit_code == 0, (made.err, shown.err, revoked.err)
    assert made.document["key"].startswith("sk_")
    assert (made.document["scopes"], made.document["pack_name"]) == (["caps:write"], "slack")
    assert [key["id"] for key in listed] == [key_id]
    assert "key" not in listed[0]
    assert shown.out.splitlines()[1].split()[-1] == key_id
    assert revoked.out == "CI of slack is revoked.\n"
    assert packyard("keys", "list").out.splitlines()[1].split()[-2] == "revoked"
    assert packyard("push", pack_folder(tmp_path / "pack")).exit_code == 0


def test_the_secret_is_alone_on_standard_output(packyard: Command) -> None:
    ran = packyard("keys", "make", "ci", "--scope", "caps:write", "--scope", "keys:write")

    (secret,) = ran.out.splitlines()
    assert secret.startswith("sk_")
    assert "shown this once" in ran.err


def test_a_scope_that_is_none_is_refused_by_the_service(packyard: Command) -> None:
    assert packyard("keys", "make", "ci", "--scope", "caps:fly").exit_code == 3
    assert packyard("keys", "revoke", "nothing", "--yes").exit_code == 6
