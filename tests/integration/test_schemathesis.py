"""The API's document against the functions: whatever the one allows and forbids, the others are asked for.

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
from tests.aws import dead_letter_queues_in_memory, delivery_queues_in_memory
from tests.credentials import key_of_acme
from tests.http_gateway import served
from tests.internet import internet
from tests.reliability import budget, tally
from tests.service import PackArchive, Service, running_service

HERE = Path(__file__).parent / "schemathesis"
DOCUMENT = Path(__file__).parents[2] / "functions" / "api_docs" / "openapi.json"
CASES = re.compile(r"(\d+) generated")


def uploaded(service: Service, name: str) -> Any:
    answer = service.upload(archive(name))
    assert answer.status == 201, answer.body
    return answer.body


def archive(name: str) -> bytes:
    return PackArchive(name=name, version="1.0.0").build()


def things(service: Service) -> dict[str, str]:
    """Return what there is to ask for, as the environment of the run."""
    key = key_of_acme(service, operate=True)
    delivery_queues_in_memory(service.aws.sqs)
    dead_letter_queues_in_memory()
    subject, doomed = uploaded(service, "fuzzed"), uploaded(service, "doomed")
    upload = service.send("start_upload", "POST", "/packs/uploads", json={}).body
    asked = {"label": "Doomed", "scopes": ["caps:write"]}
    doomed_key = service.send("keys", "POST", "/keys", json=asked).body["id"]
    keys = service.send("keys", "GET", "/keys").body["keys"]
    there = subject["image_ref"]
    known = {
        "pack": subject["id"],
        "images": {"there": there, "absent": there.rpartition(":")[0] + ":9.9.9"},
        "archives": {
            kind: base64.b64encode(archive(name)).decode()
            for kind, name in (("new", "made"), ("again", "fuzzed"))
        },
        "standing_keys": [each["id"] for each in keys if each["id"] != doomed_key],
    }
    return {
        "PACKYARD_THINGS": json.dumps(known),
        "PACKYARD_HOOKS": str(HERE / "hooks.py"),
        "PACKYARD_KEY": key,
        "PACKYARD_PACK": subject["id"],
        "PACKYARD_DOOMED": doomed["id"],
        "PACKYARD_DOOMED_KEY": doomed_key,
        "PACKYARD_UPLOAD": upload["upload_id"],
    }


def test_the_service_is_as_its_document_says(tmp_path: Path) -> None:
    prepare("schemathesis")
    with internet(), running_service() as service, served(service.invoke) as url:
        command: list[str | Path] = [
            tool("schemathesis", "st"),
            *("--config-file", HERE / "schemathesis.toml"),
            *("run", DOCUMENT, "--url", url, "--no-color"),
            *("--phases", "examples,coverage,fuzzing,stateful"),
            *("--max-examples", str(budget.of(ci=2, soak=150))),
        ]
        finished = subprocess.run(  # noqa: S603 - a tool of ours, and arguments of our own
            command,
            cwd=tmp_path,
            env={**os.environ, **things(service)},
            capture_output=True,
            text=True,
            check=False,
        )

    cases = CASES.search(finished.stdout)
    assert cases is not None, finished.stdout + finished.stderr
    tally.count("schemathesis cases", int(cases[1]))
    assert finished.returncode == 0, finished.stdout[-20_000:]
    assert int(cases[1]) > 300
