"""`make smoke STACK=NAME`: tries the main paths of a deployment and says what they cost."""

import argparse
import os
import sys
from collections.abc import Sequence

import boto3
from local.image_reader import NotVerified
from local.standing_stack import StackNotRunning

from packyard_admin.entry import aws_failures
from packyard_cli.failure import Failure
from smoke.api import NotProved
from smoke.organisation import OrganisationInUse
from smoke.target import Target, local_target, stack_target
from smoke.trial import Interrupted, try_out

_LOCAL = "local"
_INTERRUPTED = 130  # what a shell reports for a program that SIGINT ended


def main(arguments: Sequence[str]) -> int:
    """Try a deployment out. Return the exit status: 0 if all was proved, 1 if not, 130 if interrupted."""
    options = _parser().parse_args(arguments)
    if not options.stack:
        sys.stderr.write("smoke: which deployment? make smoke STACK=NAME, or STACK=local\n")
        return 1
    try:
        with aws_failures():
            target = _target(options)
            print(f"{target.name}: {target.api_url}, images in {target.registry_url}\n", flush=True)
            try_out(target, take_over=options.take_over, show=lambda line: print(line, flush=True))
    except Interrupted:
        sys.stderr.write("smoke: interrupted\n")
        return _INTERRUPTED
    except (NotProved, NotVerified) as failure:
        sys.stderr.write(f"smoke: NOT PROVED: {failure}\n")
        return 1
    except Failure as failure:
        sys.stderr.write(f"smoke: {failure.message} {failure.advice}\n")
        return 1
    except (OrganisationInUse, StackNotRunning) as refusal:
        sys.stderr.write(f"smoke: {refusal}\n")
        return 1
    print("\nAll of it worked.")
    return 0


def _target(options: argparse.Namespace) -> Target:
    if options.stack == _LOCAL:
        return local_target(options.port)
    return stack_target(
        options.stack,
        session=boto3.Session(region_name=options.region),
        endpoint_url=options.endpoint_url,
        api_url=options.api_url,
        # Not an option, because every user of a machine can see options.
        registry_login=os.environ.get("SMOKE_REGISTRY_LOGIN"),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="smoke", description=__doc__)
    parser.add_argument("stack", help="the CloudFormation stack, or `local` for the one that `make run` runs")
    parser.add_argument("--port", type=int, default=4566, help="where the local stack listens")
    parser.add_argument("--region", help="the stack's Region; by default that of the AWS configuration")
    parser.add_argument("--api-url", help="where the API is, such as https://acme.packs.example/v1")
    parser.add_argument("--endpoint-url", help="the URL of AWS, for an emulator")
    parser.add_argument("--take-over", action="store_true", help="reuse what a killed trial has left")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
