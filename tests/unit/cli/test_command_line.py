"""What is true of every command."""

import argparse
import errno
import io
import os
import re
import shlex
import signal
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from tests.command import URL, Command, Terminal, pack_folder, received

from packyard_cli.__main__ import main as start
from packyard_cli.command_line import make_parser, parse
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.main import main, run
from packyard_cli.printing import Printer, may_colour, print_anything
from packyard_cli.progress import Progress
from packyard_cli.result import Result

PROJECT = Path(__file__).parents[3]
PAGE = PROJECT / "docs" / "use" / "command.md"
TUTORIAL = PROJECT / "docs" / "tutorial.md"
END_TO_END = PROJECT / "tests" / "e2e"


def _commands(
    parser: argparse.ArgumentParser, before: str = ""
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:  # noqa: SLF001 - no public way to list them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - likewise
            # An alias stands for the same parser, and comes later.
            parsers = {id(below): (name, below) for name, below in reversed(action.choices.items())}
            for name, below in reversed(parsers.values()):
                nested = list(_commands(below, f"{before}{name} "))
                yield from nested or [(f"{before}{name}", below)]


COMMANDS = dict(_commands(make_parser()))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_a_handler_and_the_common_options(name: str) -> None:
    parser = COMMANDS[name]
    module, _, function = parser.get_default("handler").partition(":")

    text = parser.format_help()

    assert callable(getattr(import_module(f"packyard_cli.{module}"), function))
    # The operator's commands use no login, but AWS credentials for a deployment.
    where = ("--stack", "--region") if name.startswith("admin ") else ("--profile", "--url")
    assert all(option in text for option in ("--json", "--quiet", *where))
    action = parser.get_default("action")
    if action is not None:
        module, _, function = action.partition(":")
        assert callable(getattr(import_module(f"packyard_admin.{module}"), function))
    assert len((parser.description or "").split()) > 1


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    assert f"`packyard {name}" in PAGE.read_text()


def _documented_lines() -> Iterator[str]:
    """Yield every `packyard` command line in the shell blocks of the pages."""
    pages = (
        PROJECT / "README.md",
        PROJECT / "docs" / "operating.md",
        *(PROJECT / "docs" / "use").glob("*.md"),
    )
    for page in pages:
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
            for line in re.split(r"\n|&&|\|", block.replace("\\\n", " ")):
                if line.strip().startswith("packyard "):
                    yield line.strip()


@pytest.mark.parametrize("line", sorted(set(_documented_lines())))
def test_every_command_line_in_the_pages_is_understood(line: str) -> None:
    _, *arguments = shlex.split(line, comments=True)
    if arguments[0] not in {"--help", "--version"}:
        assert parse(arguments).handler


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_end_to_end_test(name: str) -> None:
    # In a Python test its words are texts, one after the other. The tutorial is a test too.
    words = r"\s*,\s*".join(f'"{word}"' for word in name.removeprefix("admin ").split())
    tests = (path.read_text() for path in sorted(END_TO_END.rglob("test_*.py")))

    assert f"$ packyard {name} " in TUTORIAL.read_text() or any(re.search(words, text) for text in tests)


def test_every_exit_code_is_documented_in_the_page_and_the_help() -> None:
    page, text = PAGE.read_text(), " ".join(make_parser().format_help().split())

    for code in Exit:
        assert f"| {int(code)} |" in page
        if code is not Exit.FAULT_OF_THE_COMMAND:
            assert re.search(rf"\b{int(code)} [a-z]", text)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Name a command: init, check, "),
        (["keys"], "Name a command: list, make, revoke."),
        (["pusj"], "There is no 'pusj'; did you mean push?"),
        (["roles", "atach"], "There is no 'atach'; did you mean attach?"),
        (["install", "x"], "The following arguments are required: --into."),
        (["visibility", "x", "public"], "There is no 'public'; there are org, community."),
    ],
)
def test_a_mistyped_command_line_is_told_what_was_meant(arguments: list[str], said: str) -> None:
    with pytest.raises(Failure) as refused:
        parse(arguments)

    assert refused.value.exit_code is Exit.USAGE
    assert refused.value.message.startswith(said)


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh", "fish"])
def test_completions_know_every_command(packyard: Command, shell: str) -> None:
    script = packyard("completion", shell).out

    assert all(name.split()[-1] in script for name in COMMANDS)


def test_a_failure_as_json_is_one_document_on_stdout(packyard: Command) -> None:
    ran = packyard("list", "--json")

    assert ran.err == ""
    assert ran.document == {
        "error": {
            "code": "unavailable",
            "message": "Nothing is there.",
            "advice": "Try again later.",
            "exit_code": 8,
        }
    }


def test_a_refusal_has_the_service_s_text_every_field_and_the_request_s_id(packyard: Command) -> None:
    fields = {"name": "is wrong", "visibility": "is wrong too"}
    error = {
        "code": "validation_error",
        "message": "name: is wrong",
        "request_id": "req-1",
        "details": {"fields": fields},
    }
    packyard.gateway.instead("GET", "/packs", lambda _: received(400, {"error": error}))

    ran = packyard("list")

    assert ran.exit_code == 3
    assert ran.err == (
        "packyard: name: is wrong\n  name: is wrong\n  visibility: is wrong too\n  request id: req-1\n"
    )


def test_the_credential_goes_to_the_service_alone(packyard: Command) -> None:
    packyard.gateway.instead(
        "GET", f"^{URL}", lambda _: received(302, b"", Location="https://bucket.test/list")
    )
    packyard.gateway.instead("GET", r"bucket\.test", lambda _: received(200, {"packs": []}))

    assert packyard("list").exit_code == 0
    assert ["Authorization" in headers for headers in packyard.gateway.headers] == [True, False]


def test_a_redirect_from_https_to_http_is_not_followed(packyard: Command) -> None:
    packyard.gateway.instead(
        "GET", f"^{URL}", lambda _: received(302, b"", Location="http://bucket.test/list")
    )

    assert packyard("list").exit_code == 8
    assert len(packyard.gateway.sent) == 1


@pytest.mark.parametrize(
    ("tty", "environment", "windows", "coloured"),
    [
        (True, {}, False, True),
        (False, {}, False, False),
        (True, {"NO_COLOR": "1"}, False, False),
        (True, {"TERM": "dumb"}, False, False),
        (True, {}, True, False),
        (True, {"WT_SESSION": "1"}, True, True),
    ],
)
def test_colours_are_for_terminals(
    tty: bool, environment: dict[str, str], windows: bool, coloured: bool
) -> None:
    assert may_colour(Terminal(tty=tty), environment, windows=windows) is coloured


def test_a_coloured_answer_says_the_same() -> None:
    out = io.StringIO()

    Printer(out=out, err=out, colour=True).answer(Result(document={}, lines=["+ a", "- b", "~ c"]))

    assert out.getvalue() == "\x1b[32m+ a\x1b[0m\n\x1b[31m- b\x1b[0m\n~ c\n"


def test_every_name_can_be_printed_in_the_c_locale() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    print_anything(stream)

    Printer(out=stream, err=stream).answer(Result(document={}, lines=["guides/\u00e9.md"]))

    assert raw.getvalue() == b"guides/\\xe9.md\n"


def test_a_progress_bar_is_drawn_and_taken_away() -> None:
    stream = Terminal(tty=True)
    times = iter([0.0, 0.01, 1.0])
    progress = Progress("Sending", 100, stream, clock=lambda: next(times))

    for count in (10, 10, 80):
        progress.add(count)
    progress.end()

    assert stream.getvalue().count("Sending") == 2
    assert "100% of 100 B" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_without_a_terminal_no_progress_is_drawn(packyard: Command, tmp_path: Path) -> None:
    packyard.gateway.instead("GET", "/packs", lambda _: received(200, {"packs": []}))
    packyard.gateway.instead("POST", "/packs/upload", lambda _: received(500, b""))

    ran = packyard("push", pack_folder(tmp_path / "pack"))

    assert "\x1b" not in ran.err


def test_an_interrupt_has_the_shell_s_exit_code(packyard: Command) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    packyard.gateway.instead("GET", "", interrupted)

    ran = packyard("list")

    assert (ran.exit_code, ran.err) == (
        130,
        "packyard: Interrupted: nothing is left half done.\n  Repeat the command.\n",
    )


def test_an_answer_that_the_command_does_not_know_is_its_own_kind(packyard: Command) -> None:
    packyard.gateway.instead("GET", "/packs", lambda _: received(200, {"packs": [{"name": "x"}]}))

    ran = packyard("list")

    assert (ran.exit_code, ran.out) == (1, "")
    assert "PACKYARD_TRACEBACK=1" in ran.err
    packyard.environment["PACKYARD_TRACEBACK"] = "1"
    with pytest.raises(KeyError):
        packyard("list")


def test_streams_that_the_caller_has_closed_are_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)

    exit_code = main(["check", "/nowhere"])

    for stream in (sys.stdin, sys.stdout, sys.stderr):
        stream.close()
    assert exit_code == 2


class _Full(io.StringIO):
    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_an_answer_that_cannot_be_written_is_told_on_stderr() -> None:
    err = io.StringIO()
    context = Context(environment={}, printer=Printer(out=_Full(), err=err, json=True), stdin=io.StringIO())

    assert run(["completion", "bash", "--json"], context) == 15
    assert err.getvalue().startswith("packyard: The disk is full.")


def test_a_name_that_is_no_text_is_wrong_usage(packyard: Command) -> None:
    packyard.environment |= {"PACKYARD_URL": URL, "PACKYARD_TOKEN": "sk_acme"}

    ran = packyard("keys", "revoke", "--yes", "n\udcff")

    assert ran.exit_code == 2
    assert "is not UTF-8" in ran.err


@pytest.mark.skipif(os.name == "nt", reason="has no such signal")
def test_the_end_of_a_job_interrupts_as_ctrl_c_does(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    ends = lambda *_: os.kill(os.getpid(), signal.SIGTERM)  # noqa: E731 - stands for a command
    monkeypatch.setattr("packyard_cli.checking.check", ends)
    try:
        assert main(["check"]) == 130
    finally:
        signal.signal(signal.SIGTERM, before)


def test_an_interrupt_while_the_command_is_loaded_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupts:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "packyard_cli.main":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "packyard_cli.main")
    monkeypatch.setattr(sys, "meta_path", [Interrupts(), *sys.meta_path])

    assert start() == 130
