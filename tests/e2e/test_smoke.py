"""`make smoke` against the local stack, as somebody with an AWS account runs it: by the stack's name."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

import boto3
import pytest
from local.aws import CREDENTIALS, Endpoint
from local.environments import PROJECT
from local.sam_deployment import STACK
from local.stack import StackDescription
from smoke.__main__ import main
from smoke.journey import PATHS
from smoke.organisation import Organisation
from smoke.trial import OURS

from packyard.store.keys import SIGNING_KEYS_PARTITION
from packyard_admin.admin import Admin
from packyard_admin.deployment import of_stack

ID: Final = re.compile(r"(?:org|pack)_\w{26}")


@pytest.fixture
def where(stack: StackDescription, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    at = ["--region", stack["region"], "--endpoint-url", stack["endpoint_url"]]
    return [STACK, *at, "--api-url", stack["api_url"]]


@pytest.fixture
def dynamodb(stack: StackDescription) -> Any:
    session = Endpoint(int(stack["endpoint_url"].rpartition(":")[2])).session()
    return session.client("dynamodb", endpoint_url=stack["endpoint_url"])


def keys_in(stack: StackDescription, dynamodb: Any) -> set[tuple[str, str]]:
    pages = dynamodb.get_paginator("scan").paginate(TableName=stack["table"])
    keys = {(item["PK"]["S"], item["SK"]["S"]) for page in pages for item in page["Items"]}
    # The keys that the deployment has signed with are published for ever.
    return {key for key in keys if key[0] != SIGNING_KEYS_PARTITION}


@pytest.fixture
def nothing_is_left(stack: StackDescription, dynamodb: Any) -> Iterator[None]:
    before = keys_in(stack, dynamodb)
    yield
    # The stream takes the words of deleted packs out of the index a moment later, and statements that came after the
    # deletion go when their message comes again.
    deadline = time.monotonic() + 90
    while (left := new_in(stack, dynamodb, before)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not left


def new_in(stack: StackDescription, dynamodb: Any, before: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return what was not there before, without what follows late from other tests' packs and organisations."""
    known = {found[0] for key in before for found in ID.finditer(key[0])}
    return {
        key
        for key in keys_in(stack, dynamodb) - before
        if not any(found[0] in known for found in ID.finditer(key[0]))
    }


@pytest.mark.usefixtures("nothing_is_left")
def test_it_proves_every_path_says_what_that_cost_and_leaves_nothing(
    where: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(where)
    said = capsys.readouterr()

    assert (status, said.err) == (0, "")
    assert [name for name in PATHS if f"proved   {name}" not in said.out] == []
    assert "US cents, by AWS's list prices" in said.out
    assert said.out.endswith("All of it worked.\n")


@pytest.mark.usefixtures("nothing_is_left")
def test_an_interrupted_trial_leaves_nothing(where: list[str]) -> None:
    command = [sys.executable, "-m", "smoke", *where]
    environment = {**os.environ, "PYTHONPATH": "layers/packyard/python:cli"}
    with subprocess.Popen(  # noqa: S603 - our own program
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as trial:
        assert trial.stdout is not None
        for line in trial.stdout:
            if "proved   push an archive" in line:
                break
        trial.send_signal(signal.SIGINT)
        _, errors = trial.communicate(timeout=120)

    assert (trial.returncode, errors) == (130, "smoke: interrupted\n")


@pytest.mark.usefixtures("nothing_is_left")
def test_what_a_killed_trial_has_left_is_taken_up_when_asked_for(
    where: list[str], stack: StackDescription, dynamodb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    session = boto3.Session(region_name=stack["region"])

    def client(service: Any) -> Any:
        return session.client(service, endpoint_url=stack["endpoint_url"])

    admin = Admin(client=client, deployment=of_stack(STACK, cloudformation=client("cloudformation")))
    Organisation(admin=admin, slug=OURS).open(take_over=False)
    time.sleep(1)  # keys are listed by an index

    refused = main(where)
    said = capsys.readouterr().err
    still_there = (f"SLUG#{OURS}", "SLUG") in keys_in(stack, dynamodb)
    taken_up = main([*where, "--take-over"])
    told = capsys.readouterr()

    assert (refused, still_there) == (1, True)
    assert "another trial of this deployment is at work" in said
    assert "ARGS=--take-over" in said
    assert taken_up == 0, told.out + told.err


@pytest.mark.usefixtures("where")
def test_a_stack_that_is_not_there_is_named(
    stack: StackDescription, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["nowhere", "--region", stack["region"], "--endpoint-url", stack["endpoint_url"]])

    assert status == 1
    said = capsys.readouterr().err
    assert said.startswith(
        "smoke: There is no stack 'nowhere' in this account and Region. Check the stack's name"
    )
    assert len(said.splitlines()) == 1
