"""All doors of the deployed stack, by the agents' own clients. `make doors` runs the same code."""

from pathlib import Path

from local.doors.clients import prepare_clients
from local.doors.run import tried
from local.doors.table import DOCUMENT, stated, table_of
from local.stack import StackDescription

# It needs root and control groups, which not every machine gives.
_NOT_EVERYWHERE = "podman"


def test_every_client_gets_the_packs_through_its_door_byte_for_byte(
    stack: StackDescription, tmp_path: Path
) -> None:
    prepare_clients()

    rows = list(tried(stack, tmp_path, show=print))

    assert ("packyard", "import") in {(row.client, row.ran.partition(",")[0]) for row in rows}
    assert _claims(table_of(rows)) == _claims(stated(DOCUMENT.read_text(encoding="utf-8")))


def _claims(table: str) -> list[list[str]]:
    """Return the rows without the versions, of which this machine decides some."""
    rows = [line.strip("| \n").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return [[*row[:2], *row[3:]] for row in rows if row[1] != _NOT_EVERYWHERE]
