#!/usr/bin/env bash
# Which permission an emulator with enforced IAM policies asks for when messages are sent to a queue in a batch.
#
# One would expect `sqs:SendMessage`. On AWS a permission for the batch cannot be given: the one for SendMessage includes it
# (SQS developer guide, "Amazon SQS batch actions"). ministack takes the action from the request's name. So a policy that is
# right on AWS is refused there, and the policy that works there names an action that IAM does not have.
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
AUTH=true BIND_HOST=127.0.0.1 GATEWAY_PORT=$port venv/bin/ministack >emulator.log 2>&1 &
emulator=$!
cat >try.py <<'PY'
import json, sys, time, urllib.request
from importlib.metadata import version

import boto3
from botocore.exceptions import ClientError

endpoint = f"http://127.0.0.1:{sys.argv[1]}"
for _ in range(300):
    try:
        urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=1)
        break
    except OSError:
        time.sleep(0.1)


def client(service, key="test", secret="test"):
    return boto3.client(
        service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret
    )


url = client("sqs").create_queue(QueueName="q")["QueueUrl"]
iam = client("iam")


def sender(name, actions):
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": actions, "Resource": "arn:aws:sqs:us-east-1:*:q"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="send", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return client("sqs", key["AccessKeyId"], key["SecretAccessKey"])


def tried(call, **parameters):
    try:
        call(QueueUrl=url, **parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "sent"


entries = [{"Id": "0", "MessageBody": "hello"}]
by_iam = sender("by-iam", ["sqs:SendMessage"])
both = sender("both", ["sqs:SendMessage", "sqs:SendMessageBatch"])
single = tried(by_iam.send_message, MessageBody="hello")
batch = tried(by_iam.send_message_batch, Entries=entries)
allowed = tried(both.send_message_batch, Entries=entries)
print("ministack", version("ministack"))
print("expected, with sqs:SendMessage alone: sent, sent")
print("seen, with sqs:SendMessage alone:", single, "by itself,", batch, "in a batch")
print("seen, with sqs:SendMessageBatch as well:", allowed, "in a batch")
sys.exit(0 if single == allowed == "sent" and batch.startswith("AccessDenied") else 1)
PY
venv/bin/python try.py "$port"
