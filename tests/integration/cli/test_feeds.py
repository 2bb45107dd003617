from pathlib import Path

from tests.command import Command, pack_folder

from packyard_cli.feed_commands import door_commands

DOCUMENTED = Path(__file__).parents[3] / "docs/use/feeds.md"


def test_a_feed_is_made_of_a_pack_shown_listed_and_revoked(packyard: Command, tmp_path: Path) -> None:
    assert packyard("push", pack_folder(tmp_path / "pack")).exit_code == 0
    made = packyard("feeds", "create", "slack", "--label", "laptops", "--expires-in", "30d", "--json")
    assert made.exit_code == 0, made.out + made.err
    feed = made.document["id"]
    listed = packyard("feeds", "list", "--json").document["feeds"]
    shown = packyard("feeds", "show", feed)
    revoked = packyard("feeds", "revoke", feed, "--yes")

    assert [each["id"] for each in listed] == [feed]
    assert "url" not in listed[0]
    assert "1 pack\n" in shown.out
    assert "not in 30 days" in shown.out
    assert "mcp: 0 packs\n" in shown.out
    assert "1 pack will be there in a moment.\n" in shown.out
    assert revoked.out == f"{feed} is revoked.\n"
    assert packyard("feeds", "list").out == "No feeds.\n"
    assert packyard("feeds", "show", feed).exit_code == 6


def test_what_to_type_for_each_client_is_printed_with_the_address(packyard: Command, tmp_path: Path) -> None:
    assert packyard("push", pack_folder(tmp_path / "pack")).exit_code == 0
    assert packyard("roles", "set", "support", "slack").exit_code == 0
    made = packyard("feeds", "create", "--role", "support")

    address, *rest = made.out.splitlines()
    assert "/f/pyf_" in address
    assert f"DISABLE_TELEMETRY=1 npx skills add {address} -a claude-code" in rest
    assert any("www.skills.sh" in line for line in rest)
    assert packyard("feeds", "create", "--role", "support", "-q").out.count("\n") == 1


def test_a_feed_is_of_a_role_or_of_packs_and_for_a_time_that_is_one(packyard: Command) -> None:
    assert packyard("feeds", "create").exit_code == 2
    assert packyard("feeds", "create", "slack", "--role", "support").exit_code == 2
    assert packyard("feeds", "create", "--role", "support", "--expires-in", "soon").exit_code == 2
    assert packyard("feeds", "create", "--role", "support").exit_code == 6


def test_the_commands_are_those_of_the_documentation() -> None:
    text = DOCUMENTED.read_text().replace("\\|", "|")
    for door in door_commands("https://acme.packyard.example/v1/f/pyf_SECRET/"):
        assert door.command in text, door.client
