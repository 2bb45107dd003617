"""The emulator's program, run by the emulator's own Python, without five things that cost it time, and two faults.

Besides, it gives away the keys of `login_links`, each once.

- A function that raised an exception keeps its process, as on AWS, where only one that ends its process or runs out of
  time is initialised again ("Understanding the Lambda execution environment lifecycle"). By itself, the emulator ends
  the process, and our authorizer raises for every credential that it refuses.
- A saved state says how far the consumers of streams were, and does not have the streams' records. After a restart the
  consumers would skip as many new records as they had read. So they begin with the first new one.
- A consumer of a stream that reports records as failed (`batchItemFailures`) gets its batch again. By itself, the
  emulator passes over what a report of failure says, but for queues, and the records are lost.
- A version that starts from a snapshot is ready at once, and its process starts with its first invocation. By itself,
  the emulator starts those of all functions of a stack at the same time, which takes a minute.
- A layer is unpacked, and its modules are compiled, once for all functions, not once for each process.
- A function says when it has written all that it logs of an invocation. By itself, the emulator waits 50 ms after the
  answer of a function that logs nothing, since it cannot know whether a line is still to come.
- A FIFO queue forgets what is older than the five minutes of deduplication, the oldest first. By itself, the emulator
  copies all that it remembers for each message.
"""

import hashlib
import json
import os
import queue
import re
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack import app as ministack
from ministack.core import lambda_runtime
from ministack.services import lambda_svc, sqs

_GRACE_SECONDS = 2
_end, _wait_for_end = lambda_runtime._signal, lambda_runtime._collect  # noqa: SLF001 - there is no setting for this
_invoke = lambda_runtime.Worker.invoke
_execute = lambda_svc._execute_function  # noqa: SLF001 - likewise
# Of the invocation that this thread runs: the process that is to end with it.
_invocation = threading.local()
_unpacking = threading.Lock()
# What a function's process writes after the lines that an invocation logs, before the invocation's id.
_LOGGED = "packyard: an invocation has logged all: "
_LONGEST_WAIT_SECONDS = 0.25
_HANDLER = "        handler_fn = getattr(mod, handler_name)\n"
_HANDLER_THAT_SAYS_SO = f"""
        _handler_fn = getattr(mod, handler_name)

        def handler_fn(event, context):
            try:
                return _handler_fn(event, context)
            finally:
                print({_LOGGED!r} + context.aws_request_id, file=sys.stderr, flush=True)
"""
_serve = ministack.app
# Of any API, below its stage. The code is that of `secrets.token_urlsafe`.
_LOGIN = re.compile(r"/restapis/[^/]+/v1/_user_request_/console/login/(?P<code>[\w-]{43})")
_LOGINS = Path(os.environ["STATE_DIR"]).parent / "logins"


def _invoke_and_keep(worker: Any, *arguments: Any, **named: Any) -> Any:
    """Run an invocation. End its process if the emulator wants to, unless the handler has answered by an exception."""
    _invocation.runs, _invocation.condemned, _invocation.request_id = True, None, arguments[1]
    try:
        result = _invoke(worker, *arguments, **named)
    finally:
        _invocation.runs = False
    process = _invocation.condemned
    if process is not None and process.poll() is None:
        if "trace" in result:
            worker._proc = process  # noqa: SLF001
        else:
            _end(process)
            _wait_for_end(process, time.monotonic() + _GRACE_SECONDS)
    return result


def _end_later(process: Any) -> None:
    if getattr(_invocation, "runs", False):
        _invocation.condemned = process
    else:
        _end(process)


def _wait_unless_later(process: Any, deadline: float) -> None:
    if not getattr(_invocation, "runs", False):
        _wait_for_end(process, deadline)


def _logged(worker: Any, **_waits: float) -> str:
    """Return the lines that this thread's invocation logged. Wait a little for a process that did not say so."""
    lines = []
    until = time.monotonic() + _LONGEST_WAIT_SECONDS
    while True:
        try:
            line = worker._stderr_queue.get(timeout=max(0.0, until - time.monotonic()))  # noqa: SLF001
        except queue.Empty:
            break
        # A function may end without a line break.
        logged, _, request_id = line.partition(_LOGGED)
        if logged:
            lines.append(logged)
        # That of an earlier invocation may come late.
        if request_id == _invocation.request_id:
            break
    return "\n".join(lines)


def _execute_and_heed(function: Any, event: Any, *arguments: Any, **named: Any) -> Any:
    """Run an invocation. If the consumer of a stream reports failures, let all of its batch have failed."""
    result = _execute(function, event, *arguments, **named)
    records = event.get("Records") if isinstance(event, dict) else None
    if not records or records[0].get("eventSource") != "aws:dynamodb" or result.get("error"):
        return result
    body = result.get("body")
    answer = json.loads(body) if isinstance(body, str) else body
    if not (isinstance(answer, dict) and answer.get("batchItemFailures")):
        return result
    reason = {"errorType": "BatchItemFailures", "errorMessage": "the function reported records as failed"}
    return {**result, "error": True, "body": reason}


def _be_ready_at_once(_name: str, version: Any) -> None:
    """Say of a version with a snapshot what the emulator says once it has started a process for it."""
    version["config"].update(
        State="Active", StateReason="", StateReasonCode="", LastUpdateStatus="Successful"
    )


class _SharedLayers(zipfile.ZipFile):
    """An archive whose folder of a layer becomes a link to the one place where its content lies."""

    def extractall(self, path: Any = None, *arguments: Any, **named: Any) -> None:
        if path is None or not Path(path).name.startswith("layer_"):
            super().extractall(path, *arguments, **named)
            return
        content = repr([(entry.filename, entry.CRC, entry.file_size) for entry in self.infolist()])
        shared = Path(tempfile.gettempdir()) / f"layer-{hashlib.sha256(content.encode()).hexdigest()}"
        with _unpacking:
            if not shared.exists():
                unpacked = tempfile.mkdtemp(dir=tempfile.gettempdir())
                super().extractall(unpacked, *arguments, **named)
                os.rename(unpacked, shared)  # noqa: PTH104 - whole or not at all
        Path(path).rmdir()
        Path(path).symlink_to(shared)


def _forget_the_expired(queue_: Any) -> None:
    """Remove the messages that count as duplicates no longer. They lie in the order in which they were sent."""
    remembered = queue_["dedup_cache"]
    now = time.time()
    while remembered and remembered[oldest := next(iter(remembered))]["expire"] <= now:
        del remembered[oldest]


async def _serve_logins(scope: Any, receive: Any, send: Any) -> None:
    """Answer a request for the key of a login link. Pass all others on, those with a code that is used too."""
    login = _LOGIN.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
    key = _given_away(login["code"]) if login else None
    if key is None:
        await _serve(scope, receive, send)
        return
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"key": key}).encode()})


def _given_away(code: str) -> str | None:
    """Return the key of a code, and forget the code; None if there is none."""
    taken = _LOGINS / f".{code}"
    try:
        # Of two who ask at once, one finds it.
        (_LOGINS / code).rename(taken)
    except FileNotFoundError:
        return None
    made = json.loads(taken.read_text())
    taken.unlink()
    return str(made["key"]) if made["until"] > time.time() else None


lambda_runtime._signal, lambda_runtime._collect = _end_later, _wait_unless_later  # noqa: SLF001
lambda_runtime.Worker.invoke = _invoke_and_keep
lambda_runtime.Worker._drain_stderr_bounded = _logged  # noqa: SLF001
if _HANDLER not in lambda_runtime._PYTHON_WORKER_SCRIPT:  # noqa: SLF001
    raise SystemExit("the emulator starts a handler in another way now")
lambda_runtime._PYTHON_WORKER_SCRIPT = lambda_runtime._PYTHON_WORKER_SCRIPT.replace(  # noqa: SLF001
    _HANDLER, _HANDLER_THAT_SAYS_SO
)
sqs._prune_dedup = _forget_the_expired  # noqa: SLF001
lambda_svc._execute_function = _execute_and_heed  # noqa: SLF001
lambda_svc._snapstart_provision_version_async = _be_ready_at_once  # noqa: SLF001
lambda_svc._restore_esm_positions = lambda _store, _positions: None  # noqa: SLF001
lambda_runtime.zipfile = SimpleNamespace(**vars(zipfile) | {"ZipFile": _SharedLayers})

ministack.app = _serve_logins

if __name__ == "__main__":
    ministack.main()
