"""The command line of `packyard admin`, and what is said where its extra is missing."""

import sys
from pathlib import Path

import pytest
from tests.command import Command, Gateway

from packyard.packs.pack import Tier
from packyard.tenants.api_key import PermissionSet
from packyard.tenants.org import BillingPosture
from packyard_cli.admin_line import PERMISSION_SETS, POSTURES, TIERS
from packyard_cli.command_line import make_parser, parse
from packyard_cli.failure import Failure


@pytest.fixture
def packyard(tmp_path: Path) -> Command:
    return Command(home=tmp_path, gateway=Gateway(None))


def test_the_choices_are_those_of_the_domain() -> None:
    assert list(POSTURES) == list(BillingPosture)
    assert list(PERMISSION_SETS) == list(PermissionSet)
    assert list(TIERS) == list(Tier)


@pytest.mark.parametrize(
    ("before", "after", "stack"),
    [
        (["--stack", "a"], [], "a"),
        ([], ["--stack", "b"], "b"),
        (["--stack", "a"], ["--stack", "b"], "b"),
        ([], [], None),
    ],
)
def test_the_deployment_is_named_before_or_after_the_command(
    before: list[str], after: list[str], stack: str | None
) -> None:
    options = parse(["admin", *before, "org", "show", "acme", *after])

    assert (options.stack, options.org, options.profile, options.url) == (stack, "acme", None, None)


def test_other_command_lines_do_not_make_the_operator_s_commands() -> None:
    assert "which deployment" not in make_parser(admin=False).format_help()
    assert "admin" in make_parser(admin=False).format_help()


@pytest.mark.parametrize(("arguments", "page"), [([], "admin"), (["key"], "admin key")])
def test_a_command_that_is_not_finished_is_told_where_to_look(arguments: list[str], page: str) -> None:
    with pytest.raises(Failure) as refused:
        parse(["admin", *arguments])

    assert refused.value.advice == f"See packyard {page} --help."


@pytest.mark.parametrize("missing", ["boto3", "botocore", "ulid"])
def test_without_the_extra_it_is_said_how_to_install_it(
    packyard: Command, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in {"packyard_admin", missing}]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)

    ran = packyard("admin", "--stack", "packyard", "org", "show", "acme")

    assert ran.exit_code == 17
    assert ran.err.splitlines() == [
        "packyard: The operator's commands need the extra admin, which is not installed.",
        "  Install it, in a clone: pipx install --force '.[admin]'.",
    ]


def test_a_module_of_ours_that_is_missing_is_a_fault_of_the_command(
    packyard: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "packyard_admin.entry", raising=False)
    monkeypatch.setitem(sys.modules, "packyard.store.tenants", None)
    monkeypatch.delitem(sys.modules, "packyard_admin.admin", raising=False)

    assert packyard("admin", "--stack", "packyard", "org", "show", "acme").exit_code == 1
