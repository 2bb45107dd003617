"""Writes the table of `docs/readers.md`: python -m tests.layer_readers. It asks every reader on this machine."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.layer_readers.verdicts import DOCUMENT, END, START, table, verdicts

if __name__ == "__main__":
    with TemporaryDirectory() as scratch:
        rows = table(verdicts(Path(scratch)))
    before, _, rest = DOCUMENT.read_text().partition(START)
    DOCUMENT.write_text(before + START + rows + END + rest.partition(END)[2])
