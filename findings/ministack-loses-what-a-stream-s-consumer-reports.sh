#!/usr/bin/env bash
# What an emulator does with records of a DynamoDB stream that a Lambda function reports as failed.
#
# One would expect that they come again: with ReportBatchItemFailures, Lambda retries from the lowest reported sequence number
# (Lambda developer guide, "Configuring partial batch response with DynamoDB and Lambda"). ministack heeds the report for
# queues only. For a stream it goes on to the next records, so that those of the report are lost.
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
import io, sys, time, urllib.request, zipfile
from importlib.metadata import version
from pathlib import Path

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


asked = Path("asked").resolve()
CODE = f"""
def handler(event, context):
    with open({str(asked)!r}, "a") as log:
        for record in event["Records"]:
            print(record["dynamodb"]["Keys"]["id"]["S"], file=log)
    first = event["Records"][0]["dynamodb"]["SequenceNumber"]
    return {{"batchItemFailures": [{{"itemIdentifier": first}}]}}
"""
archive = io.BytesIO()
with zipfile.ZipFile(archive, "w") as packed:
    packed.writestr("index.py", CODE)

dynamodb, functions = client("dynamodb"), client("lambda")
table = dynamodb.create_table(
    TableName="table",
    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    BillingMode="PAY_PER_REQUEST",
    StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
)["TableDescription"]
functions.create_function(
    FunctionName="f",
    Runtime="python3.12",
    Role="arn:aws:iam::000000000000:role/r",
    Handler="index.handler",
    Code={"ZipFile": archive.getvalue()},
)
functions.create_event_source_mapping(
    EventSourceArn=table["LatestStreamArn"],
    FunctionName="f",
    StartingPosition="TRIM_HORIZON",
    FunctionResponseTypes=["ReportBatchItemFailures"],
)
dynamodb.put_item(TableName="table", Item={"id": {"S": "a"}})
end = time.monotonic() + 30
while not asked.exists() and time.monotonic() < end:
    time.sleep(0.2)
time.sleep(10)
times = asked.read_text().split().count("a") if asked.exists() else 0

print(f"ministack {version('ministack')}, boto3 {version('boto3')}")
print("expected: the function is given the record that it reports as failed more than once")
print(f"seen:     it is given the record {times} time(s), in at least 10 seconds after the first")
sys.exit(0 if times == 1 else 1)
PY
venv/bin/python try.py "$port" || { echo "This has changed."; tail -5 emulator.log; exit 1; }
