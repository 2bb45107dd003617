"""`python -m tests.reliability [PYTEST_ARGUMENTS]`: run the suite, and say in numbers what it has tried.

`--counted FOLDER` runs nothing, and takes the numbers of a whole run of the tests with `PACKYARD_TALLY=FOLDER`.

The numbers go to `docs/reliability.json` and into the table of `docs/reliability.md`, unless a test has failed or only
a part has been run.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.reliability.budget import BUDGET
from tests.reliability.tally import totals

_PROJECT: Final = Path(__file__).parents[2]
_DOCUMENT: Final = _PROJECT / "docs" / "reliability.md"
_COUNTS: Final = _PROJECT / "docs" / "reliability.json"
_START: Final = "<!-- written by `make reliability` -->\n"
_END: Final = "<!-- end of what it writes -->\n"
# What counts something; the load has a command and a file of its own.
_SUITE: Final = (
    "tests/reliability",
    "tests/integration/test_schemathesis.py",
    "tests/e2e/test_secrets_in_logs.py",
    "tests/e2e/test_tenant_walls.py",
)


def main(arguments: list[str]) -> int:
    """Run the suite, or what the arguments say of it, and return pytest's exit status."""
    if arguments[:1] == ["--counted"]:
        _write(totals(Path(arguments[1])))
        return 0
    with TemporaryDirectory() as directory:
        status = subprocess.run(  # noqa: S603 - pytest, with what the developer asks for
            [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", *(arguments or _SUITE)],
            env=os.environ | {"PACKYARD_TALLY": directory},
            cwd=_PROJECT,
            check=False,
        ).returncode
        counts = totals(Path(directory))
    sys.stdout.write(f"\nbudget: {BUDGET}\n{_table(counts)}")
    if status == 0 and not arguments:
        _write(counts)
    return status


def _write(counts: Mapping[str, int]) -> None:
    _COUNTS.write_text(json.dumps({"budget": BUDGET, "counts": counts}, indent=2) + "\n")
    before, _, rest = _DOCUMENT.read_text().partition(_START)
    head = f"| tried, with the budget `{BUDGET}` | |\n|---|---|\n"
    _DOCUMENT.write_text(before + _START + head + _table(counts) + _END + rest.partition(_END)[2])


def _table(counts: Mapping[str, int]) -> str:
    return "".join(f"| {what} | {number:,} |\n" for what, number in counts.items())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
