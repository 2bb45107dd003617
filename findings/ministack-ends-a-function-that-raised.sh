#!/usr/bin/env bash
# What an emulator of Lambda does with the process of a function whose handler has raised an exception.
#
# One would expect that the process stays and gets the next event, as on AWS. There, the runtime reports the exception and
# asks for the next event (Lambda developer guide, "Using the Lambda runtime API"), and an environment is initialised
# again only when the function times out or its process ends ("Understanding the Lambda execution environment
# lifecycle"). ministack ends the process after each exception (Worker.invoke in ministack/core/lambda_runtime.py), so the
# next event unpacks, starts and imports all again. An authorizer has to raise "Unauthorized" for API Gateway to answer 401
# (API Gateway developer guide, "Input to an API Gateway Lambda authorizer"), so that every refused credential costs a start.
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
BIND_HOST=127.0.0.1 GATEWAY_PORT=$port venv/bin/ministack >emulator.log 2>&1 &
emulator=$!
cat >try.py <<'PY'
import io, json, sys, time, urllib.request, zipfile
from importlib.metadata import version

import boto3

endpoint = f"http://127.0.0.1:{sys.argv[1]}"
for _ in range(300):
    try:
        urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=1)
        break
    except OSError:
        time.sleep(0.1)
code = "import os\ndef handler(event, context):\n    if event.get('raise'):\n        raise ValueError('refused')\n    return os.getpid()\n"
packed = io.BytesIO()
with zipfile.ZipFile(packed, "w") as archive:
    archive.writestr("app.py", code)
client = boto3.client(
    "lambda", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
)
client.create_function(
    FunctionName="f", Runtime="python3.13", Handler="app.handler", Role="arn:aws:iam::000000000000:role/r",
    Code={"ZipFile": packed.getvalue()},
)


def invoke(event):
    return json.load(client.invoke(FunctionName="f", Payload=json.dumps(event))["Payload"])


first, second = invoke({}), invoke({})
raised = invoke({"raise": True})
third = invoke({})
print("ministack", version("ministack"))
print("expected: one process for all four events")
print("seen: after an answer", "the same" if first == second else "another", "process;",
      "after the exception", repr(raised.get("errorMessage")), "the same" if second == third else "another", "process")
sys.exit(0 if first == second != third and raised.get("errorMessage") == "refused" else 1)
PY
venv/bin/python try.py "$port"
