"""Operations in warm functions: the section `warm` of the results.

Each built function runs under Lambda's own runtime client and calls the local stack. So the times are those of this
machine's emulator, but the calls and the capacity that they consume are those of AWS.
"""

import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from local.aws import Endpoint
from local.emulator import HOST
from local.function import free_port, running_function
from local.sam_deployment import function_environment
from local.stack import running_stack
from tests.gateway import Request, multipart
from tests.service import ACME, PackArchive

from bench.inputs import archive_of
from bench.meter import Meter, metered
from bench.processes import ProgramFailed

_PACKS: Final = 100
_PAGE: Final = "50"
_SERVER_ERROR: Final = 500

Ask = Callable[[], Request]


@dataclass(frozen=True, slots=True)
class _Bench:
    """A running stack and the meter in front of it."""

    folder: Path
    endpoint: Endpoint
    meter: Meter

    def environment(self, function: str) -> dict[str, str]:
        variables = function_environment(function, endpoint=self.endpoint)
        behind = {name: value.replace(self.endpoint.url, self.meter.url) for name, value in variables.items()}
        return behind | {"AWS_ENDPOINT_URL": self.meter.url}

    def measure(self, function: str, ask: Ask, *, rounds: int) -> tuple[dict[str, float], dict[str, Any]]:
        """Return an operation's cost in a warm function, and its last answer."""
        milliseconds: list[float] = []
        with running_function(
            function, environment=self.environment(function), log_path=self.folder / f"{function}.log"
        ) as running:
            for _ in range(rounds + 1):
                event = ask().event()
                self.meter.reset()
                started = time.perf_counter()
                answer = running.invoke(event)
                milliseconds.append((time.perf_counter() - started) * 1000)
                if answer.get("statusCode", _SERVER_ERROR) >= 400:  # noqa: PLR2004 - where HTTP's errors begin
                    raise ProgramFailed(f"{function} answered {answer}")
        # Only the first request has the costs of the start.
        taken = {
            "p50_ms": round(statistics.median(milliseconds[1:]), 1),
            "aws_calls": self.meter.aws_calls,
            "rcu": self.meter.read_units,
            "wcu": self.meter.write_units,
        }
        print(f"  {function:16} {taken}", flush=True)
        return taken, json.loads(answer["body"])


def measure_warm(*, folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Return, for each operation, the median milliseconds and the calls and capacity of one request.

    Args:
        folder: Where inputs are kept.
        rounds: How many requests of each are measured.
    """
    small = archive_of("small", folder=folder / "inputs").read_bytes()
    with tempfile.TemporaryDirectory(dir=folder) as state:
        port = free_port()
        with (
            running_stack(folder=Path(state), port=port) as stack,
            metered(port) as meter,
        ):
            print(f"\nwarm, {HOST}:{port}, {stack['table']}", flush=True)
            bench = _Bench(Path(state), Endpoint(port), meter)
            return _measure_operations(bench, small, rounds=rounds)


def _measure_operations(bench: _Bench, small: bytes, *, rounds: int) -> dict[str, dict[str, float]]:
    section: dict[str, dict[str, float]] = {}
    names = (f"pack-{number:03d}" for number in itertools.count())

    def measure(name: str, function: str, ask: Ask, rounds: int = rounds) -> dict[str, Any]:
        section[name], answer = bench.measure(function, ask, rounds=rounds)
        return answer

    pack = measure(
        "upload_pack", "upload_pack", lambda: _upload(PackArchive(name=next(names)).build()), _PACKS
    )
    measure("upload_pack_60_kb_repeated", "upload_pack", lambda: _upload(small))
    path = f"/packs/{pack['id']}"
    visibilities = itertools.cycle([b'{"visibility":"community"}', b'{"visibility":"org"}'])
    pack_ids = itertools.cycle([f'{{"pack_ids":["{pack["id"]}"]}}'.encode(), b'{"pack_ids":[]}'])
    role = {"resource": "/agent-roles/{role_id}/packs", "path": "/agent-roles/analyst/packs"}
    json_body = {"Content-Type": "application/json"}
    measure("get_pack", "get_pack", lambda: _request("GET", "/packs/{id}", path))
    measure("list_packs", "list_packs", lambda: _request("GET", "/packs", "/packs", query={"limit": _PAGE}))
    measure(
        "update_pack",
        "update_pack",
        lambda: _request("PATCH", "/packs/{id}", path, headers=json_body, body=next(visibilities)),
    )
    measure(
        "list_revisions",
        "list_revisions",
        lambda: _request("GET", "/packs/{id}/revisions", f"{path}/revisions"),
    )
    measure(
        "set_role_packs",
        "set_role_packs",
        lambda: _request("PUT", role["resource"], role["path"], headers=json_body, body=next(pack_ids)),
    )
    measure("get_role_packs", "get_role_packs", lambda: _request("GET", role["resource"], role["path"]))
    measure("list_files", "list_files", lambda: _request("GET", "/packs/{id}/files", f"{path}/files"))
    return section


def _request(method: str, resource: str, path: str, **more: Any) -> Request:
    return Request(method=method, resource=resource, path=path, caller=ACME, **more)


def _upload(archive: bytes) -> Request:
    body, headers = multipart({"archive": archive})
    return _request("POST", "/packs/upload", "/packs/upload", headers=headers, body=body)
