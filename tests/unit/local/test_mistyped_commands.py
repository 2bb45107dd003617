"""A mistake on the command line is answered with one line that says what helps."""

import os
import subprocess
import sys

import pytest
from local.environments import PROJECT
from local.function import free_port
from local.sam_local import UnknownFunction, known_function

INVOKE = ("local.sam_local", "--port")
EVENT = "events/get_pack/unknown.json"
NO_STACK = str(free_port())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(
            [*INVOKE, "abc", "invoke", EVENT], "PORT=abc is no port: it is a number from 1", id="PORT=abc"
        ),
        pytest.param([*INVOKE, "0", "start-api"], "PORT=0 is no port", id="PORT=0"),
        pytest.param([*INVOKE, NO_STACK, "invoke", "x.json"], "there is no file x.json", id="no such event"),
        pytest.param([*INVOKE, NO_STACK, "invoke"], "which event? Try `make invoke E=", id="no event"),
        pytest.param(
            [*INVOKE, NO_STACK, "invoke", EVENT], f"runs on port {NO_STACK}. Start one", id="no stack"
        ),
        pytest.param(["local", "run", "--bogus"], "not --bogus: ARGS=--check is all", id="ARGS=--bogus"),
        pytest.param(["local", "run", "--check", "x"], "not x: ARGS=--check is all", id="ARGS='--check x'"),
    ],
)
def test_a_mistyped_command_is_one_line(words: list[str], said: str) -> None:
    finished = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-m", *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env=os.environ,
    )

    assert (finished.returncode, finished.stdout) == (1, "")
    (line,) = finished.stderr.splitlines()
    assert said in line


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("get_pack", "did you mean F=GetPack?"),
        ("GetPak", "did you mean F=GetPack?"),
        ("x", "there are GetPack, ListPacks"),
    ],
)
def test_a_function_that_is_none_is_answered_with_the_one_that_was_meant(function: str, said: str) -> None:
    with pytest.raises(UnknownFunction) as refused:
        known_function(function, {"GetPack", "ListPacks"})

    assert said in str(refused.value)
