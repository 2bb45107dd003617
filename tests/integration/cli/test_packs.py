import json
from pathlib import Path

import pytest
from tests.command import KEY, Command, CutOff, Gateway, pack_folder, received
from tests.service import GLOBEX, PackArchive, Service

from packyard_cli.failure import Exit
from packyard_cli.wire import Received


@pytest.fixture
def slack(packyard: Command, tmp_path: Path) -> Path:
    """A folder whose pack stands."""
    folder = pack_folder(tmp_path / "slack", data__a_bin="\x00\x01")
    assert packyard("push", "-q", folder).exit_code == 0
    return folder


def test_packs_are_listed_and_shown(packyard: Command, slack: Path, service: Service) -> None:
    service.upload(PackArchive(name="jira").build(), GLOBEX, visibility="community")

    listed = packyard("list")
    owned = packyard("list", "--owned", "--json").document["packs"]
    shown = packyard("show", "slack")

    assert [line.split()[:5] for line in listed.out.splitlines()] == [
        ["NAME", "VERSION", "TIER", "VISIBILITY", "OWNED"],
        ["jira", "1.4.0", "community", "community", "no"],
        ["slack", "1.4.0", "community", "org", "yes"],
    ]
    assert [pack["name"] for pack in owned] == ["slack"]
    assert shown.out.startswith("slack 1.4.0\n")
    assert slack.exists()


def test_packs_are_searched_by_words_best_first(packyard: Command, slack: Path, service: Service) -> None:
    fields = {"display_name": "Jira", "description": "Tickets for Slack teams: slack, and more."}
    service.upload(PackArchive(name="jira-tickets", fields=fields).build(), GLOBEX, visibility="community")
    for pack in service.list_packs().body["packs"]:
        service.follow(pack["id"])

    def found(*words: str) -> list[str]:
        return [pack["name"] for pack in packyard("search", "--json", *words).document["packs"]]

    assert found("SLACK") == ["slack", "jira-tickets"]
    assert found("slack", "ticket") == found("jira-tickets") == ["jira-tickets"]
    assert found("ticket", "slack") == found("nothing") == []
    assert packyard("search", "--json", "--", "-").exit_code == Exit.INVALID
    assert slack.exists()


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (("cat", "slack", "guides/none.md"), "packyard files PACK lists"),
        (("roles", "show", "none"), "packyard roles list shows"),
        (("show", "pack_00000000000000000000000000"), "packyard list shows"),
        (("keys", "revoke", "0" * 16, "--yes"), "packyard keys list shows"),
    ],
)
def test_what_is_not_there_is_answered_with_the_command_that_lists(
    packyard: Command, slack: Path, words: tuple[str, ...], advice: str
) -> None:
    ran = packyard(*words)

    assert ran.exit_code == 6
    assert f"\n  {advice}" in ran.err
    assert slack.exists()


def test_a_refused_deletion_names_the_roles(packyard: Command, slack: Path) -> None:
    assert packyard("roles", "attach", "support", "slack").exit_code == 0

    ran = packyard("delete", "slack", "--yes")

    assert ran.exit_code == 7
    assert ran.err.splitlines()[:3] == [
        "packyard: slack is not deleted, since roles have it.",
        "  roles of your organisation: support",
        "  Take it out of each first: packyard roles detach support slack",
    ]
    assert slack.exists()


def test_a_name_that_several_organisations_have_asks_for_an_id(
    packyard: Command, slack: Path, service: Service
) -> None:
    theirs = service.upload(PackArchive(name="slack").build(), GLOBEX, visibility="community").body["id"]

    own = packyard("show", "--json", "slack").document
    other = packyard("show", "--json", theirs).document

    assert (own["owned"], other["owned"]) == (True, False)
    assert slack.exists()


def test_a_pack_that_is_not_there_is_not_found(packyard: Command) -> None:
    ran = packyard("show", "nothing")

    assert ran.exit_code == 6
    assert "packyard list shows" in ran.err


def test_files_are_printed_byte_for_byte(packyard: Command, slack: Path) -> None:
    assert packyard("cat", "slack", "data/a.bin").raw == b"\x00\x01"
    assert packyard("cat", "--json", "slack", "guides/post.md").document["content"] == "# Post\n"
    assert packyard("cat", "slack", "guides/none.md").exit_code == 6
    assert slack.exists()


def test_a_file_that_came_damaged_is_not_printed(packyard: Command, slack: Path) -> None:
    packyard.gateway.instead(
        "GET", r"/files/guides", lambda _: received(200, b"# Other\n", ETag=f'"sha256:{"0" * 64}"')
    )

    ran = packyard("cat", "slack", "guides/post.md")

    assert (ran.exit_code, ran.raw) == (10, b"")
    assert slack.exists()


def test_a_file_is_edited_from_stdin_and_in_an_editor(packyard: Command, slack: Path, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho more >> "$1"\n')
    editor.chmod(0o755)
    packyard.environment["EDITOR"] = str(editor)

    first = packyard("edit", "slack", "guides/post.md", "--from", "-", stdin="# New\n")
    second = packyard("edit", "slack", "guides/post.md")
    third = packyard("edit", "slack", "guides/new.md", "--from", slack / "pack.yaml")

    assert (first.exit_code, second.exit_code, third.exit_code) == (0, 0, 0), second.err
    assert packyard("cat", "slack", "guides/post.md").out == "# New\nmore\n"
    assert packyard.gateway.headers[-3].get("If-None-Match") != "*"
    assert packyard("files", "-q", "slack").out.count("guides/new.md") == 1


def test_an_editor_that_fails_changes_nothing(packyard: Command, slack: Path) -> None:
    packyard.environment["EDITOR"] = "false"

    assert packyard("edit", "slack", "guides/post.md").exit_code == 130
    assert packyard.gateway.paths("PUT") == []
    assert slack.exists()


def test_revisions_are_listed_and_rolled_back(packyard: Command, slack: Path) -> None:
    packyard("edit", "slack", "guides/post.md", "--from", "-", stdin="# New\n")

    ran = packyard("rollback", "slack", "1")

    assert ran.exit_code == 0, ran.err
    assert packyard("cat", "slack", "guides/post.md").out == "# Post\n"
    assert packyard("revisions", "-q", "slack").out.split() == ["3", "2", "1"]
    assert packyard("rollback", "slack", "9").exit_code == 6
    assert slack.exists()


def test_visibility_clone_and_delete(packyard: Command, slack: Path, service: Service) -> None:
    seen = packyard("visibility", "slack", "community")
    cloned = packyard("clone", "--json", "slack", "--name", "slack-two")
    asked = packyard("delete", "slack-two")
    refused = packyard("delete", "slack-two", tty=True, stdin="n\n")
    deleted = packyard("delete", "slack-two", "--yes")

    assert seen.out == "slack is visible to everyone.\n"
    assert cloned.document["image_origin"] == "clone"
    assert (asked.exit_code, refused.exit_code, deleted.exit_code) == (2, 130, 0)
    assert packyard("list", "--owned", "-q").out.count("pack_") == 1
    assert slack.exists()
    assert service


def test_roles_are_changed_by_name_and_on_condition(packyard: Command, slack: Path, service: Service) -> None:
    jira = service.upload(PackArchive(name="jira").build()).body["id"]

    packyard("roles", "attach", "support", "slack")
    attached = packyard("roles", "attach", "--json", "support", "jira", "slack")
    detached = packyard("roles", "detach", "support", "slack")
    wrong = packyard("roles", "detach", "support", "slack")
    in_use = packyard("delete", "jira", "--yes")

    assert attached.document["pack_ids"][1] == jira
    assert detached.out.splitlines()[1].startswith("jira")
    assert (wrong.exit_code, in_use.exit_code) == (6, 7)
    assert packyard("roles", "set", "support").out == "The role has no packs.\n"
    assert slack.exists()


def test_a_list_is_read_page_by_page(packyard: Command, service: Service) -> None:
    for number in range(3):
        service.upload(PackArchive(name=f"pack-{number}").build())
    pages = packyard.gateway
    real = pages.send

    def small(method: str, url: str, **more: object) -> object:
        return real(method, url.replace("limit=100", "limit=1"), **more)  # type: ignore[arg-type]

    pages.send = small  # type: ignore[method-assign, assignment]

    assert packyard("list", "-q").out.count("pack_") == 3


def test_text_of_others_cannot_steer_the_terminal(packyard: Command) -> None:
    pack = {
        "packs": [
            {"name": "x", "version": "1.0.0\x1b[2J", "tier": "a", "visibility": "b", "owned": True, "id": "i"}
        ]
    }
    packyard.gateway.instead("GET", r"/packs\?", lambda _: received(200, pack))

    assert "1.0.0\\x1b[2J" in packyard("list").out


def test_a_service_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    packyard = Command(home=tmp_path, gateway=Gateway(None))

    ran = packyard("list")

    assert (ran.exit_code, ran.err) == (8, "packyard: Nothing is there.\n  Try again later.\n")
    assert len(packyard.slept) == 4


@pytest.mark.parametrize(
    ("arguments", "path", "out"),
    [
        (("show", "slack"), r"/packs\?", "slack"),
        (("cat", "slack", "guides/post.md"), r"/files/guides/post\.md$", "# Post\n"),
    ],
)
def test_an_answer_that_is_cut_off_is_asked_for_again(
    packyard: Command, slack: Path, arguments: tuple[str, ...], path: str, out: str
) -> None:
    answers = iter([Received(200, {}, CutOff(b'{"packs": [')) for _ in range(2)])
    packyard.gateway.instead("GET", path, lambda _: next(answers, None))

    ran = packyard(*arguments)

    assert ran.exit_code == 0, ran.err
    assert out in ran.out
    assert len(packyard.slept) == 2
    assert slack


def test_an_answer_that_is_always_cut_off_is_no_answer(packyard: Command, slack: Path) -> None:
    packyard.gateway.instead("GET", r"/packs\?", lambda _: Received(200, {}, CutOff(b"{")))

    ran = packyard("show", "slack")

    assert ran.exit_code == 8
    assert ran.err == "packyard: The answer was cut off.\n  Repeat the command.\n"
    assert slack


@pytest.mark.parametrize("role", ["", ".", "..", "../packs", "a/b", "-x", "x" * 129, "é"])
@pytest.mark.parametrize(
    "command", [("roles", "show"), ("roles", "delete"), ("lock",), ("roles", "pull-token")]
)
def test_what_is_no_id_of_a_role_is_not_sent(packyard: Command, command: tuple[str, ...], role: str) -> None:
    ran = packyard(*command, "--", role)

    assert ran.exit_code == 2
    assert "is no id of a role" in ran.err
    assert packyard.gateway.sent == []


@pytest.mark.parametrize(
    "arguments",
    [("keys", "revoke", "--yes", ".."), ("keys", "revoke", "--yes", ""), ("cat", "slack", "a/../b")],
)
def test_what_leads_to_another_path_is_not_sent(
    packyard: Command, slack: Path, arguments: tuple[str, ...]
) -> None:
    ran = packyard(*arguments)

    assert ran.exit_code == 2
    assert "names nothing at the service" in ran.err
    assert not any(".." in url for _, url in packyard.gateway.sent)
    assert slack


def test_a_throttled_request_waits_as_long_as_it_is_told(packyard: Command) -> None:
    refusal = {"error": {"code": "rate_limited", "message": "Slower.", "request_id": "r"}}
    packyard.gateway.instead(
        "GET", r"/packs", lambda before: None if before else received(429, refusal, Retry_After="7")
    )

    assert packyard("list").out == "No packs.\n"
    assert packyard.slept == [7.0]


@pytest.mark.parametrize(
    ("status", "body", "exit_code", "said"),
    [
        (401, None, 4, "Log in again"),
        (403, {"error": {"code": "permission_denied", "message": "No.", "request_id": "req-1"}}, 5, "req-1"),
        (423, {"error": {"code": "billing_inactive", "message": "No.", "request_id": "r"}}, 5, "No."),
        (500, {"error": {"code": "internal_error", "message": "Oh.", "request_id": "r"}}, 8, "Oh."),
        (200, b"<html>", 8, "not one of Packyard's"),
        (404, b"<html>", 8, "The answer is 404, and not one of Packyard's"),
    ],
)
def test_each_kind_of_refusal_has_its_exit_code(
    packyard: Command, status: int, body: object, exit_code: int, said: str
) -> None:
    if body is None:
        packyard.environment["PACKYARD_TOKEN"] = "sk_unknown"
    else:
        packyard.gateway.instead("GET", r"/packs", lambda _: received(status, body))

    ran = packyard("list")

    assert ran.exit_code == exit_code
    assert said in ran.err
    assert packyard("list", "--json").document["error"]["exit_code"] == exit_code


def test_login_keeps_a_token_that_the_service_takes(packyard: Command, tmp_path: Path) -> None:
    del packyard.environment["PACKYARD_TOKEN"]
    url = packyard.environment.pop("PACKYARD_URL")

    wrong = packyard("login", url, stdin="sk_wrong\n")
    nothing = packyard("list")
    right = packyard("login", url, "--profile", "work", stdin=f"{KEY}\n")
    who = packyard("whoami", "--json")

    assert (wrong.exit_code, nothing.exit_code, right.exit_code) == (4, 4, 0), right.err
    assert "mode 0600" in right.out
    tokens = tmp_path / "home" / "config" / "tokens.json"
    assert json.loads(tokens.read_text()) == {"work": KEY}
    assert tokens.stat().st_mode & 0o777 == 0o600
    assert who.document == {
        "url": url,
        "profile": "work",
        "token_from": str(tokens),
        "token_kind": "api_key",
        "accepted": True,
    }
    assert KEY not in who.out
    assert packyard("logout").exit_code == 0
    assert packyard("list").exit_code == 4
    assert json.loads(tokens.read_text()) == {}


def test_whoami_knows_the_organisation_from_its_packs(packyard: Command, slack: Path) -> None:
    assert "organisation  org_01hzacme" in packyard("whoami").out
    assert slack.exists()


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (("show", "../slack"), 6, "There is no pack '../slack'"),
        (("cat", "slack", ""), 2, "The path of the file is empty"),
    ],
)
def test_names_that_nothing_can_have_are_not_sent(
    packyard: Command, slack: Path, words: tuple[str, ...], exit_code: int, said: str
) -> None:
    ran = packyard(*words)

    assert (ran.exit_code, said in ran.err) == (exit_code, True), ran.err
    assert slack.exists()


@pytest.mark.parametrize("editor", ["/nowhere/editor", '"'])
def test_an_editor_that_cannot_be_run_is_named(packyard: Command, slack: Path, editor: str) -> None:
    packyard.environment["EDITOR"] = editor

    ran = packyard("edit", "slack", "guides/new.md")

    assert (ran.exit_code, "cannot be run" in ran.err) == (2, True), ran.err
    assert slack.exists()


def test_the_files_of_an_earlier_revision_are_listed(packyard: Command, slack: Path) -> None:
    before = packyard("files", "slack", "--json").document
    (slack / "guides" / "new.md").write_text("# New\n")
    assert packyard("push", "-q", slack).exit_code == 0

    assert packyard("files", "slack", "--revision", "1", "--json").document == before
    assert "guides/new.md" in packyard("files", "slack").out
    assert packyard("files", "slack", "--revision", "9").exit_code == 6
