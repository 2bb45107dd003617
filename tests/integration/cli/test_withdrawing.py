"""`packyard withdraw`, `restore`, `retention` and `delete --revision`, against the real handlers."""

import pytest
from tests.command import Command
from tests.revisions import made, reupload, statuses
from tests.service import Service


@pytest.fixture
def pack(service: Service) -> str:
    """Return a pack with two revisions that share a file."""
    identity = made(service, secret=b"password\n")
    assert reupload(service, identity, "2.0.0", secret=b"password\n").status == 200
    return identity


def test_a_revision_is_withdrawn_and_restored(packyard: Command, service: Service, pack: str) -> None:
    ran = packyard("withdraw", "slack", "1", "--reason", "It has a password.")

    assert (ran.exit_code, ran.out) == (0, "Revision 1 of slack is withdrawn.\n")
    assert statuses(service, pack)[1] == "withdrawn"
    assert "withdrawn" in packyard("revisions", "slack").out
    assert packyard("restore", "slack", "1").out == "Revision 1 of slack can be used again.\n"
    assert statuses(service, pack)[1] == "active"


def test_a_reason_is_needed(packyard: Command, service: Service, pack: str) -> None:
    assert packyard("withdraw", "slack", "1").exit_code == 2
    assert statuses(service, pack)[1] == "active"


def test_the_content_of_a_revision_is_deleted(packyard: Command, service: Service, pack: str) -> None:
    assert packyard("delete", "slack", "--revision", "1").exit_code == 2

    ran = packyard("delete", "slack", "--revision", "1", "--yes")

    assert ran.exit_code == 0, ran.err
    assert "also in these revisions: 2" in ran.out
    assert statuses(service, pack) == {1: "deleted", 2: "active"}
    assert packyard("delete", "slack", "--revision", "2", "--yes").exit_code == 7


def test_retention_is_shown_and_set(packyard: Command, pack: str) -> None:
    assert packyard("retention", pack).out == "All revisions are kept.\n"
    assert packyard("retention", pack, "--keep", "3").exit_code == 2
    assert packyard("retention", pack, "--keep", "3", "--yes").out == "The newest 3 revisions are kept.\n"
    assert packyard("retention", pack, "--keep", "all").out == "All revisions are kept.\n"
    assert packyard("retention", pack, "--keep", "some").exit_code == 2
