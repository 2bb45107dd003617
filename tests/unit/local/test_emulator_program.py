"""What we change of the emulator, in a Python of its own."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from local.environments import PROJECT, tool

_HEED = """
emulator_program._execute = lambda _function, _event: {"body": json.loads(sys.argv[3])}
heeded = emulator_program._execute_and_heed({}, {"Records": [{"eventSource": sys.argv[2]}]})
print(json.dumps(bool(heeded.get("error"))))
"""
_INVOKE = """
import io, time, zipfile

archive = io.BytesIO()
with zipfile.ZipFile(archive, "w") as packed:
    packed.writestr("index.py", sys.argv[2])
arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
config = {"FunctionName": "f", "FunctionArn": arn, "Runtime": "python3.12", "Handler": "index.handler"}
worker = emulator_program.lambda_runtime.Worker("f", config, archive.getvalue())
answers, took = [], []
for number in range(5):
    began = time.perf_counter()
    answers.append(worker.invoke(number, str(number)))
    took.append(time.perf_counter() - began)
worker.kill()
print(json.dumps({"logs": [answer["log"] for answer in answers], "least": min(took)}))
"""
_LATE = """
import queue
from types import SimpleNamespace

said = queue.Queue()
for line in (emulator_program._LOGGED + "1", "a line", emulator_program._LOGGED + "2"):
    said.put(line)
emulator_program._invocation.request_id = "2"
print(json.dumps([emulator_program._logged(SimpleNamespace(_stderr_queue=said)), said.qsize()]))
"""
_FORGET = """
import time

now = time.time()
queue = {"dedup_cache": {str(number): {"expire": now + number} for number in range(-2, 3)}}
emulator_program._forget_the_expired(queue)
print(json.dumps(list(queue["dedup_cache"])))
"""


def run(program: str, folder: Path, *arguments: str) -> Any:
    """Run a program that has the emulator's, and return what its last line says."""
    head = "import json, sys\nsys.path.insert(0, sys.argv[1])\nimport emulator_program\n"
    command: list[str | Path] = [tool("emulator", "python"), "-P", "-c", head + program, PROJECT / "local"]
    variables = {"STATE_DIR": str(folder / "services")}
    said = subprocess.run(  # noqa: S603 - ours
        [*command, *arguments], env=variables, capture_output=True, text=True, check=True
    )
    return json.loads(said.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("source", "answer", "fails"),
    [
        ("aws:dynamodb", '{"batchItemFailures": [{"itemIdentifier": "1"}]}', True),
        ("aws:dynamodb", '{"batchItemFailures": []}', False),
        ("aws:dynamodb", "null", False),
        # The emulator heeds it for queues by itself, message by message.
        ("aws:sqs", '{"batchItemFailures": [{"itemIdentifier": "1"}]}', False),
    ],
)
def test_a_stream_s_batch_fails_when_its_consumer_says_so(
    source: str, answer: str, fails: bool, tmp_path: Path
) -> None:
    assert run(_HEED, tmp_path, source, answer) is fails


@pytest.mark.parametrize(
    ("body", "logs"),
    [
        ("return 1", [""] * 5),
        ("print('one'); print(event); return 1", [f"one\n{number}" for number in range(5)]),
        ("print('without an end', end='')", ["without an end"] * 5),
    ],
)
def test_an_invocation_has_what_it_logged_and_waits_for_nothing_more(
    body: str, logs: list[str], tmp_path: Path
) -> None:
    said = run(_INVOKE, tmp_path, f"def handler(event, context): {body}")

    assert said["logs"] == logs
    assert said["least"] < 0.05


def test_an_invocation_that_raises_has_what_it_logged_too(tmp_path: Path) -> None:
    said = run(_INVOKE, tmp_path, "def handler(event, context): print(event); raise ValueError")

    assert said["logs"] == [str(number) for number in range(5)]


def test_the_end_of_an_earlier_invocation_that_came_late_ends_no_other(tmp_path: Path) -> None:
    assert run(_LATE, tmp_path) == ["a line", 0]


def test_a_fifo_queue_forgets_what_is_too_old_to_be_a_duplicate(tmp_path: Path) -> None:
    assert run(_FORGET, tmp_path) == ["1", "2"]
