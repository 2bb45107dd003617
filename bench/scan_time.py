"""The time that a scan adds to a publish: one Invoke of the function that scans, with a pack of 60 KB and with nothing.

`make run` first, then `python -m bench.scan_time` in the same folder. What an empty Invoke takes is the emulator's.
"""

import argparse
import base64
import json
import random
import statistics
import time
from pathlib import Path
from typing import Any, Final

import boto3

from bench.processes import ProgramFailed
from packyard.oci.build.compression import compress_piece

_WORDS: Final = [
    "guide",
    "agent",
    "request",
    "token",
    "value",
    "reply",
    "channel",
    "message",
    "number",
    "script",
    "answer",
    "check",
]
_FILES: Final = 12
_LINES: Final = 60
_WARM: Final = 3


def _payload(files: int) -> bytes:
    chosen = random.Random(1)  # noqa: S311 - made-up text, the same each time
    parts = []
    for number in range(files):
        lines = (" ".join(chosen.choice(_WORDS) for _ in range(12)) for _ in range(_LINES))
        content = "\n".join(lines).encode()
        parts.append(
            {
                "path": f"guides/{number:02}.md",
                "content": base64.b64encode(compress_piece(content)).decode(),
                "raw_size": len(content),
                "size": len(content),
                "first_line": 1,
            }
        )
    return json.dumps({"files": parts, "known": {}, "seconds": 2.0}).encode()


def _milliseconds(client: Any, name: str, payload: bytes, rounds: int) -> list[float]:
    taken = []
    for _ in range(_WARM + rounds):
        began = time.perf_counter()
        answer = client.invoke(FunctionName=name, Payload=payload)
        report = json.load(answer["Payload"])
        taken.append(1000 * (time.perf_counter() - began))
        if "FunctionError" in answer:
            raise ProgramFailed(f"the scan failed: {report}")
    return taken[_WARM:]


def main() -> None:
    """Print the medians."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, default=4566)
    arguments.add_argument("--rounds", type=int, default=25)
    options = arguments.parse_args()
    stack = json.loads(Path(f".local/state/{options.port}/stack.json").read_text())
    client = boto3.client(
        "lambda",
        endpoint_url=stack["endpoint_url"],
        region_name=stack["region"],
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - of the emulator
    )
    pages = client.get_paginator("list_functions").paginate()
    names = (one["FunctionName"] for page in pages for one in page["Functions"])
    name = next(name for name in names if "ScanContent" in name)
    for what, files in (("60 KB in 12 files", _FILES), ("nothing", 0)):
        taken = _milliseconds(client, f"{name}:live", _payload(files), options.rounds)
        print(f"{what:20} {statistics.median(taken):6.1f} ms ({min(taken):.1f} … {max(taken):.1f})")


if __name__ == "__main__":
    main()
