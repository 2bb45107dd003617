#!/usr/bin/env bash
# What an emulator's FIFO queue costs for each message.
#
# One would expect a message to cost the same however many were sent before it. ministack copies all that a FIFO queue remembers
# of the last five minutes for each message that it is sent, so that the thousands of messages of a busy queue cost ever
# more, and all other requests to the emulator, which has one thread for them, wait.
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
import sys, time, urllib.request
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


sqs = client("sqs")
url = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
sent = 0


def milliseconds_of_a_hundred_batches():
    """Send a thousand messages, ten in a request."""
    global sent
    began = time.perf_counter()
    for _ in range(100):
        ids = [str(sent + number) for number in range(10)]
        sent += 10
        sqs.send_message_batch(
            QueueUrl=url,
            Entries=[
                {"Id": each, "MessageBody": each, "MessageGroupId": each, "MessageDeduplicationId": each}
                for each in ids
            ],
        )
    return 1000 * (time.perf_counter() - began)


first = milliseconds_of_a_hundred_batches()
for _ in range(8):
    last = milliseconds_of_a_hundred_batches()

print(f"ministack {version('ministack')}, boto3 {version('boto3')}")
print("expected: the ninth thousand messages take about as long as the first")
print(f"seen:     {first:.0f} ms and {last:.0f} ms")
sys.exit(0 if last > 2 * first else 1)
PY
venv/bin/python try.py "$port" || { echo "This has changed."; tail -5 emulator.log; exit 1; }
