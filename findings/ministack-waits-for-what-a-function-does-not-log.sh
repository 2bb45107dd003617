#!/usr/bin/env bash
# How long an emulator takes to invoke a Lambda function that logs nothing.
#
# One would expect that a function that logs nothing is answered at least as soon as one that logs a line. ministack waits up to
# 50 ms for a first line after the function has answered, so that a silent function is the slower one by far, warm too. What
# is measured on it of a function that does little, or of a request that passes through an authorizer, is mostly that wait.
#
# Seen with ministack 1.5.33 and boto3 1.43.0. Needs python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
emulator=
trap '[ -z "$emulator" ] || kill "$emulator" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check ministack==1.5.33 boto3==1.43.0 2>/dev/null
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
BIND_HOST=127.0.0.1 GATEWAY_PORT=$port PATH="$folder/venv/bin:$PATH" venv/bin/ministack >emulator.log 2>&1 &
emulator=$!
cat >try.py <<'PY'
import io, statistics, sys, time, urllib.request, zipfile
from importlib.metadata import version

import boto3

endpoint = f"http://127.0.0.1:{sys.argv[1]}"
for _ in range(300):
    try:
        urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=1)
        break
    except OSError:
        time.sleep(0.1)


def client(service):
    return boto3.client(
        service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )


functions = client("lambda")


def milliseconds(name, code):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("index.py", code)
    functions.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/r",
        Handler="index.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    taken = []
    for _ in range(25):
        began = time.perf_counter()
        functions.invoke(FunctionName=name, Payload=b"{}")
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken[5:])


silent = milliseconds("silent", "def handler(event, context):\n    return 1\n")
speaking = milliseconds("speaking", "def handler(event, context):\n    print('a line')\n    return 1\n")

print(f"ministack {version('ministack')}, boto3 {version('boto3')}")
print("expected: an invocation that logs nothing takes no longer than one that logs a line")
print(f"seen:     {silent:.0f} ms and {speaking:.0f} ms, medians of 20 warm invocations")
sys.exit(0 if silent > 50 and silent > 1.5 * speaking else 1)
PY
venv/bin/python try.py "$port" || { echo "This has changed."; tail -5 emulator.log; exit 1; }
