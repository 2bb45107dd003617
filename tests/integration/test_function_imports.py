"""What a function loads before its first request: the cause of a cold start, and unlike its duration always one."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from tests.bytecode import KEPT_BYTECODE

from packyard.composition.settings import required

PROJECT: Final = Path(__file__).parents[2]
FUNCTIONS: Final = sorted(path.parent.name for path in (PROJECT / "functions").glob("*/app.py"))

# What takes long to load, and is not part of every function: boto3, Powertools' Logger and, with them, urllib3.
HEAVY: Final = {
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.event_handler.middlewares.openapi_validation",
    "aws_lambda_powertools.utilities.batch",
    "aws_lambda_powertools.utilities.idempotency",
    "aws_lambda_powertools.utilities.parser",
    "cryptography",
    "ctypes",
    "isal",
    "joserfc",
    "semver",
    "ulid",
    "yaml",
}
HTTP: Final = {"aws_lambda_powertools.event_handler"}
QUEUE: Final = {"aws_lambda_powertools.utilities.batch"}
ALLOWED: Final = {
    "attest_image": QUEUE,
    "authorize": set[str](),
    "build_upload": QUEUE,
    "clean_up": QUEUE,
    "deliver": QUEUE,
    "prepare_artifacts": QUEUE,
    # Every request to it has a token to verify.
    "exchange_oidc": HTTP | {"cryptography", "ctypes", "joserfc"},
    "get_diff": HTTP | {"isal"},
    "get_file": HTTP | {"isal"},
    "list_attestations": HTTP | {"isal"},
    "list_files": HTTP | {"isal"},
    "measure_backlog": set[str](),
    "retry_delivery": QUEUE,
    # It inflates what it is sent.
    "scan_content": {"isal"},
}
# What one route of a function with several needs. It is loaded with that route's first request, or before a snapshot.
OF_A_ROUTE: Final = {
    "policies": {"packyard.scanning.policy", "packyard.signatures.policy", "tomllib"},
    "list_revisions": {"packyard.http.views", "packyard.operations.references", "packyard.store.history"},
    "get_role_packs": {
        "packyard.operations.list_roles",
        "packyard.packs.capabilities",
        "packyard.store.packs",
    },
}
ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_LAMBDA_FUNCTION_NAME": "test",
    "AWS_SECRET_ACCESS_KEY": "testing",
    **dict.fromkeys(required(), "https://nowhere.test"),
    "PATH": os.defpath,
}


# Starts each function in a fork of a process that has loaded what all of them load, and that takes most of the time.
EACH: Final = """
import boto3, json, os, sys
import aws_lambda_powertools.logging

common = sorted(sys.modules)
for function in sys.argv[1:]:
    child = os.fork()
    if not child:
        sys.path.insert(0, function)
        import app
        print(json.dumps([function, common, sorted(sys.modules)]), flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, function
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """What each function has loaded once it has started, by its name."""
    finished = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", EACH, *(str(PROJECT / "functions" / function) for function in FUNCTIONS)],
        env=ENVIRONMENT | KEPT_BYTECODE | {"PYTHONPATH": str(PROJECT / "layers" / "packyard" / "python")},
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    said = [json.loads(line) for line in finished.stdout.splitlines() if line.startswith(b"[")]
    assert not {module for _, common, _ in said for module in common} & HEAVY
    return {Path(folder).name: set(modules) for folder, _, modules in said}


def loaded_by(function: str, code: str = "import app") -> set[str]:
    """Return the modules that a function has loaded once it has started."""
    folder = PROJECT / "functions" / function
    path = os.pathsep.join((str(folder), str(PROJECT / "layers" / "packyard" / "python")))
    finished = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", f"import json, sys; {code}; print(json.dumps(sorted(sys.modules)))"],
        env=ENVIRONMENT | KEPT_BYTECODE | {"PYTHONPATH": path},
        capture_output=True,
        check=True,
        timeout=60,
    )
    return set(json.loads(finished.stdout.splitlines()[-1]))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_loads_nothing_heavy_that_it_does_not_need(
    loaded: dict[str, set[str]], function: str
) -> None:
    assert loaded[function] & HEAVY <= ALLOWED.get(function, HTTP)
    assert not loaded[function] & OF_A_ROUTE.get(function, set())


def test_reading_a_file_of_an_indexed_image_loads_no_readers_of_other_images() -> None:
    loaded = loaded_by("get_file")

    assert not loaded & {
        "packyard.oci.build.layer",
        "packyard.oci.read.third_party_document",
        "packyard.oci.read.third_party_tar",
        "packyard.registry.challenge",
    }


def test_the_client_of_the_table_is_made_while_the_function_starts() -> None:
    loaded = loaded_by(
        "get_pack",
        "import app; from packyard.composition import bootstrap; assert bootstrap.services().table",
    )

    assert "botocore.endpoint" in loaded


@pytest.mark.parametrize("function", ["api_docs", "console"])
def test_files_of_its_own_are_served_without_an_aws_client(function: str) -> None:
    assert "boto3" not in loaded_by(function)


def test_a_login_at_the_door_loads_nothing_for_those_at_the_registry() -> None:
    code = """
import app
from packyard.composition import bootstrap
services = bootstrap.services()
assert services.pull_tokens and services.secrets_manager
assert "_sts" not in vars(services)"""
    loaded = loaded_by("issue_pull_token", code.replace("\n", "; ").removeprefix("; "))

    assert not loaded & {"packyard.operations.registry_logins", "packyard.registry.own.ecr_logins"}
