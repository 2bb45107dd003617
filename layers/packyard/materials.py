"""Writes the layer's bill of materials: every distribution in it, with version, package URL and hashes (CycloneDX 1.5).

The layer ships without its distributions' metadata, so scanners cannot tell its contents; they can read this file. uv
writes it from the same `uv.lock` from which the layer is installed. Fields that differ with every run are removed, so
that the layer stays reproducible. The script needs only the standard library, and uv.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from layers.packyard.toolchain import PROJECT, ToolMissing, find_uv

_ELSEWHERE: Final = re.compile(r"sys_platform == '(?!linux)")


def bill_of_materials(group: str = "layer") -> dict[str, Any]:
    """Return the bill of materials of a layer, without our own package.

    Args:
        group: The dependency group that the layer ships.

    Raises:
        ToolMissing: uv is not installed.
        subprocess.CalledProcessError: uv failed; it has written the reason to standard error.
    """
    shipped = ["--frozen", "--only-group", group, "--project", str(PROJECT)]
    exported = subprocess.run(
        [find_uv(environment=os.environ), "export", "-q", "--format", "cyclonedx1.5", *shipped],
        check=True,
        stdout=subprocess.PIPE,
    )
    bill: dict[str, Any] = json.loads(exported.stdout)
    del bill["serialNumber"], bill["metadata"]["timestamp"]
    _leave_out(bill, {part["bom-ref"] for part in bill["components"] if _is_for_another_system(part)})
    return bill


def _is_for_another_system(part: dict[str, Any]) -> bool:
    """Return whether a distribution is locked for another system than Linux alone. Lambda runs Linux."""
    markers = [each["value"] for each in part.get("properties", ()) if each["name"] == "uv:package:marker"]
    return any(_ELSEWHERE.search(marker) and " or " not in marker for marker in markers)


def _leave_out(bill: dict[str, Any], refs: set[str]) -> None:
    bill["components"] = [part for part in bill["components"] if part["bom-ref"] not in refs]
    bill["dependencies"] = [
        {**needed, "dependsOn": [ref for ref in needed["dependsOn"] if ref not in refs]}
        if "dependsOn" in needed
        else needed
        for needed in bill["dependencies"]
        if needed["ref"] not in refs
    ]


def main() -> int:
    """Write the bill to the file that the command line names; return the exit status."""
    arguments = argparse.ArgumentParser(description="Write the layer's bill of materials.")
    arguments.add_argument("--output", type=Path, required=True)
    arguments.add_argument("--group", choices=("layer", "scan"), default="layer")
    options = arguments.parse_args()
    output: Path = options.output
    try:
        bill = bill_of_materials(options.group)
    except ToolMissing as error:
        print(f"layer: {error}", file=sys.stderr)
        return 1
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"bill of materials: {len(bill['components'])} distributions, in {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
