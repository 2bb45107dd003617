#!/usr/bin/env bash
# What a transaction of DynamoDB costs in moto, when the table holds items that it has nothing to do with.
#
# One would expect that TransactWriteItems touches the items that it names: two transactions of the same size cost the
# same, however full the table is. moto 5.2.5 copies all items of the table, to be able to roll the transaction back, and
# does so again for each item of the transaction (DynamoDBBackend.transact_write_items): ten items and 200 others in the
# table are 2,000 copies. A suite that writes by transactions grows slow with what its tests have left behind.
#
# Seen with moto 5.2.5 and boto3 1.43.106. Needs python3 with venv.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check moto[dynamodb]==5.2.5 boto3==1.43.106 2>/dev/null
cat >try.py <<'PY'
from importlib.metadata import version
from unittest.mock import patch

import boto3
from moto import mock_aws
from moto.dynamodb.models.dynamo_type import Item

COPY = Item.__deepcopy__


def copies(others: int, written: int) -> int:
    """Return how many items moto copies for one transaction."""
    made = 0

    def counted(self: Item, memo: dict) -> Item:
        nonlocal made
        made += 1
        return COPY(self, memo)

    with mock_aws():
        client = boto3.client("dynamodb", "eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
        client.create_table(
            TableName="t",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        )
        for number in range(others):
            client.put_item(TableName="t", Item={"k": {"S": f"other {number}"}})
        puts = [{"Put": {"TableName": "t", "Item": {"k": {"S": f"new {n}"}}}} for n in range(written)]
        with patch.object(Item, "__deepcopy__", counted):
            client.transact_write_items(TransactItems=puts)
    return made


print("moto", version("moto"))
seen = {}
for others, written in ((0, 1), (200, 1), (0, 10), (200, 10)):
    seen[others, written] = copies(others, written)
    print(f"{others:4} items in the table, {written:2} in the transaction: {seen[others, written]:5} items copied")
linear = seen[200, 1] >= 200 and seen[200, 10] >= 10 * 200
raise SystemExit(not linear)
PY
venv/bin/python try.py
echo "as seen before: the whole table is copied for each item of a transaction"
