"""Runs a command of `packyard admin`, and translates what AWS answers into the command's own kinds of failure."""

import argparse
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    LoginError,
    NoRegionError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from packyard.aws.outages import error_code, outages_translated, refuses_credentials
from packyard.errors import PackyardError
from packyard_admin.admin import admin_of
from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.result import Result

_CREDENTIALS_ADVICE: Final = (
    "Log in to AWS again; the environment, AWS_PROFILE or ~/.aws states the credentials."
)
# From the error lists of the CloudFormation, DynamoDB, ECR and SQS API references.
_KINDS: Final = {
    "AWS.SimpleQueueService.NonExistentQueue": Exit.NOT_FOUND,
    "QueueDoesNotExist": Exit.NOT_FOUND,
    "RepositoryNotFoundException": Exit.NOT_FOUND,
    "ResourceNotFoundException": Exit.NOT_FOUND,
    "AccessDenied": Exit.NOT_ALLOWED,
    "AccessDeniedException": Exit.NOT_ALLOWED,
    "OptInRequired": Exit.NOT_ALLOWED,
}
_ADVICE: Final = {
    Exit.NOT_FOUND: "Check --stack or the parts of the deployment, and --region.",
    Exit.NOT_ALLOWED: "docs/operating.md lists the permissions that these commands need.",
}

# Without a handler, Python prints what is logged to stderr. Failures say the same.
logging.getLogger("packyard").addHandler(logging.NullHandler())


def run(options: argparse.Namespace, context: Context) -> Result:
    """Run the command that `options.action` names, as `module:function` of this package.

    Raises:
        Failure: The command was refused, or AWS refused a call or did not answer.
    """
    module, _, function = options.action.partition(":")
    command = getattr(import_module(f"packyard_admin.{module}"), function)
    with aws_failures():
        result: Result = command(admin_of(options), options, context)
    return result


@contextmanager
def aws_failures() -> Iterator[None]:
    """Return a context manager that raises the errors of AWS calls and adapters as failures.

    Raises:
        Failure: Instead of `ClientError`, `BotoCoreError` and `PackyardError`.
    """
    try:
        with outages_translated():
            yield
    except PackyardError as error:
        raise _outage(error) from error
    except ClientError as error:
        raise _refusal(error) from error
    except BotoCoreError as error:
        raise _local_fault(error) from error


def _outage(error: PackyardError) -> Failure:
    cause = error.__cause__
    if cause is not None and refuses_credentials(cause):
        said = error_code(cause) if isinstance(cause, ClientError) else type(cause).__name__
        return Failure(
            Exit.NOT_SIGNED_IN, f"There are no credentials that AWS accepts ({said}).", _CREDENTIALS_ADVICE
        )
    if cause is None:
        # An adapter's own refusal, such as an item that only a later release can read.
        notes = " ".join(getattr(error, "__notes__", ()))
        return Failure(Exit.UNAVAILABLE, error.message, notes)
    return Failure(
        Exit.UNAVAILABLE,
        "AWS did not answer, or answered that it cannot at the moment; a write may have been made.",
        "Check --region and --endpoint-url, and repeat the command.",
        request_id=_request_id(cause),
    )


def _refusal(error: ClientError) -> Failure:
    code = error_code(error)
    kind = _KINDS.get(code, Exit.INVALID)
    text = error.response.get("Error", {}).get("Message", "") or "no reason given"
    return Failure(
        kind,
        f"AWS refused {error.operation_name} ({code}): {text.rstrip('.')}.",
        _ADVICE.get(kind, ""),
        request_id=_request_id(error),
    )


def _local_fault(error: BotoCoreError) -> Failure:
    """Return what boto3 found wrong before it sent anything."""
    if isinstance(error, NoRegionError):
        return Failure(Exit.USAGE, "No AWS Region is known.", "Give --region, or set AWS_REGION.")
    if isinstance(error, (LoginError, ProfileNotFound, SSOError, TokenRetrievalError)):
        return Failure(Exit.NOT_SIGNED_IN, f"There are no AWS credentials: {error}", _CREDENTIALS_ADVICE)
    return Failure(
        Exit.USAGE, f"boto3 cannot make this call: {error}", "Check the options and the AWS configuration."
    )


def _request_id(error: BaseException) -> str | None:
    if not isinstance(error, ClientError):
        return None
    return error.response.get("ResponseMetadata", {}).get("RequestId")
