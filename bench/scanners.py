"""`python -m bench.scanners FOLDER…`: our scanner beside cisco-ai-skill-scanner, static mode, on the same skills.

The peer is installed from PyPI into a temporary environment, at fixed versions and without the libraries of its other
modes, which are half a gigabyte. Both read every file of every skill. Times are processor seconds of each process, in
turns, and the least of the rounds counts.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from local.environments import PROJECT

_PEER: Final = Path(__file__).with_name("scanner_peer.py")
_ALONE: Final = "cisco-ai-skill-scanner==2.3.2"
_WITH: Final = (
    "click==8.5.1",
    "confusable-homoglyphs==3.3.1",
    "httpx==0.28.1",
    "protobuf==6.33.6",
    "pydantic==2.14.4",
    "python-dotenv==1.2.4",
    "python-frontmatter==1.3.0",
    "pyyaml==6.0.4",
    "rich==14.3.4",
    "tabulate==0.10.0",
    "yara-x==1.23.0",
)


def compare(folders: list[Path], *, rounds: int) -> dict[str, Any]:
    """Return what each scanner took, and how many times as long as ours the other one did.

    Raises:
        subprocess.CalledProcessError: A package could not be installed, or a scanner failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = str(Path(folder, "bin", "python"))
        for packages in (["--no-deps", _ALONE], list(_WITH)):
            subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
        programs = {"packyard": sys.executable, "cisco": python}
        taken: dict[str, list[dict[str, Any]]] = {name: [] for name in programs}
        for _ in range(rounds):
            for name, program in programs.items():
                taken[name].append(_run(name, program, folders))
    best = {name: min(runs, key=lambda run: run["seconds"]) for name, runs in taken.items()}
    ratio = best["cisco"]["seconds"] / best["packyard"]["seconds"]
    return {**best, "times_as_fast": round(ratio, 1)}


def _run(name: str, program: str, folders: list[Path]) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "layers" / "packyard" / "python")}
    if name != "packyard":
        del environment["PYTHONPATH"]
    ran = subprocess.run(
        [program, str(_PEER), name, *map(str, folders)], env=environment, check=True, stdout=subprocess.PIPE
    )
    measured: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return measured


def main() -> None:
    """Compare on the folders that the command line names, and print the result as JSON."""
    arguments = argparse.ArgumentParser(prog="bench.scanners", description="Compare two scanners of skills.")
    arguments.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    print(
        json.dumps(compare([folder.resolve() for folder in options.folders], rounds=options.rounds), indent=1)
    )


if __name__ == "__main__":
    main()
