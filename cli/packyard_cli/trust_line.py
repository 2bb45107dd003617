"""The command line of what packs and images are trusted; see `command_line`."""

import argparse
from collections.abc import Sequence
from typing import Any, Protocol


class Commands(Protocol):
    """What commands are added to."""

    def add(self, name: str, handler: str, text: str, **defaults: Any) -> argparse.ArgumentParser:
        """Add a command, and return its parser."""
        ...

    def group(self, name: str, text: str, *, aliases: Sequence[str] = ()) -> "Commands":
        """Add a command that has commands of its own."""
        ...


def add_trust(commands: Commands) -> None:
    """Add the commands."""
    trust = commands.group("trust", "whose packs and images are trusted")
    policy = trust.group("policy", "what registered images must bring")
    policy.add("show", "signature_policies:show", "show the signature policy of your organisation")
    change = policy.add(
        "set", "signature_policies:set_policy", "set the signature policy of your organisation"
    )
    change.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="the whole policy as JSON, as show --json prints it (- is stdin)",
    )
    change.add_argument("--none", action="store_true", help="require nothing")
    change.add_argument(
        "--images",
        action="append",
        default=[],
        metavar="PATTERN",
        help="of registries and repositories: ghcr.io/acme/* (repeatable)",
    )
    change.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="FILE",
        help="a public key in PEM, as cosign.pub is (repeatable)",
    )
    change.add_argument("--issuer", metavar="URL", help="who signs an identity in")
    change.add_argument("--subject", metavar="PATTERN", help="whose certificates count, with --issuer")
    change.add_argument(
        "--trusted-root", metavar="FILE", help="sigstore's trusted_root.json: who certifies identities"
    )
    change.add_argument(
        "--requires",
        action="append",
        default=[],
        metavar="TYPE",
        help="signature (the default), or the type of an attestation's predicate (repeatable)",
    )
    change.add_argument(
        "--otherwise", choices=("accept", "refuse"), help="what becomes of images that no rule names"
    )
