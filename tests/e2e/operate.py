"""The operator's commands, on the deployed stack, found by its name as an operator finds it."""

import io
import json
from collections.abc import Callable
from typing import Any

from local.sam_deployment import STACK
from local.stack import StackDescription

from packyard_cli.context import Context
from packyard_cli.main import run
from packyard_cli.printing import Printer

Operate = Callable[..., Any]


def operating(stack: StackDescription) -> Operate:
    """Return what runs a command of the operator, and returns the document that it prints."""

    def call(*arguments: str, ends: int = 0) -> Any:
        where = ["--stack", STACK, "--region", stack["region"], "--endpoint-url", stack["endpoint_url"]]
        out, err = io.StringIO(), io.StringIO()
        context = Context(environment={}, printer=Printer(out=out, err=err), stdin=io.StringIO())
        assert run(["admin", *where, *arguments, "--json"], context) == ends, out.getvalue()
        return json.loads(out.getvalue())

    return call
