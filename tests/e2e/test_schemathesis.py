"""The API's document against the deployed template: whatever the one allows and forbids, the other is asked for.

Schemathesis makes the requests, with every check that it has; what it may not check, and why, is in
`schemathesis/schemathesis.toml`. It asks with a key, which it must not revoke, and again without one or
with a wrong one (`ignored_auth`).
"""

import base64
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from local.environments import prepare, tool
from local.stack import StackDescription
from tests.e2e.client import Client, Reply
from tests.reliability import budget, tally
from tests.service import PackArchive

HERE = Path(__file__).parent / "schemathesis"
DOCUMENT = Path(__file__).parents[2] / "functions" / "api_docs" / "openapi.json"
CASES = re.compile(r"(\d+) generated")


def uploaded(client: Client, name: str) -> Any:
    reply: Reply = client.upload(PackArchive(name=name, version="1.0.0").build())
    assert reply.status == 201, reply.body
    return reply.body


def archive(name: str) -> str:
    return base64.b64encode(PackArchive(name=name, version="1.0.0").build()).decode()


def things(stack: StackDescription) -> dict[str, str]:
    """Return what there is to ask for, as the environment of the run."""
    client = Client.of(stack, "globex")
    subject, doomed = uploaded(client, "fuzzed"), uploaded(client, "doomed")
    upload = client.call("POST", "/packs/uploads", json={}).body
    asked = {"label": "Doomed", "scopes": ["caps:write"]}
    doomed_key = client.call("POST", "/keys", json=asked).body["id"]
    standing_keys = [key["id"] for key in client.call("GET", "/keys").body["keys"] if key["id"] != doomed_key]
    there = subject["image_ref"]
    known = {
        "pack": subject["id"],
        "images": {"there": there, "absent": there.rpartition(":")[0] + ":9.9.9"},
        "archives": {"new": archive("made"), "again": archive("fuzzed")},
        "standing_keys": standing_keys,
    }
    assert client.key is not None
    return {
        "PACKYARD_THINGS": json.dumps(known),
        "PACKYARD_HOOKS": str(HERE / "hooks.py"),
        "PACKYARD_KEY": client.key,
        "PACKYARD_PACK": subject["id"],
        "PACKYARD_DOOMED": doomed["id"],
        "PACKYARD_DOOMED_KEY": doomed_key,
        "PACKYARD_UPLOAD": upload["upload_id"],
    }


def test_the_service_is_as_its_document_says(stack: StackDescription, tmp_path: Path) -> None:
    prepare("schemathesis")
    command: list[str | Path] = [
        tool("schemathesis", "st"),
        *("--config-file", HERE / "schemathesis.toml"),
        *("run", DOCUMENT, "--url", stack["api_url"], "--no-color"),
        *("--phases", "examples,coverage,fuzzing,stateful"),
        *("--max-examples", str(budget.of(ci=2, soak=150))),
    ]

    finished = subprocess.run(  # noqa: S603 - a tool of ours, and arguments of our own
        command,
        cwd=tmp_path,
        env={**os.environ, **things(stack)},
        capture_output=True,
        text=True,
        check=False,
    )

    cases = CASES.search(finished.stdout)
    assert cases is not None, finished.stdout + finished.stderr
    tally.count("schemathesis cases", int(cases[1]))
    assert finished.returncode == 0, finished.stdout[-20_000:]
    assert int(cases[1]) > 300
