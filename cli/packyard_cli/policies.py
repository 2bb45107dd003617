"""Commands about policies of the organisation (API contract, section 7)."""

import argparse
from typing import Final

from packyard_cli.context import Context
from packyard_cli.failure import Failure
from packyard_cli.result import Result
from packyard_cli.service import JsonBody

_PATH: Final = "/version-policy"
_MEANING: Final = {
    "free": "any version may be published, also again with other content",
    "increasing": "a new version is higher than every version that the pack has had",
    "immutable": "a version that was published under a name keeps its content for good",
}


def version_policy(options: argparse.Namespace, context: Context) -> Result:
    """Show which versions may be published, or set it."""
    service = context.service()
    if options.policy is None:
        state = service.get(_PATH).body
    else:
        state = service.call("PUT", _PATH, body=JsonBody.of({"version_policy": options.policy})).body
    policy = str(state["version_policy"])
    meaning = f": {_MEANING[policy]}" if policy in _MEANING else ""
    return Result(document=state, lines=[f"{policy}{meaning}"], essence=[policy])


def say_next_version(failure: Failure) -> None:
    """Let a refusal of a version say what to write into `pack.yaml`. Other refusals stay as they are."""
    instead = failure.details.get("next_version")
    if failure.code == "version_taken" and isinstance(instead, str):
        failure.advice = f"Write version: {instead} into pack.yaml, and push again."
