"""The command line of trust: which keys, and what was signed; see `command_line`."""

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
    attest = commands.add("attest", "attesting:attest", "show and save what is signed about a pack's image")
    attest.add_argument("pack", metavar="PACK", help="its id, or its name")
    attest.add_argument("--revision", type=int, metavar="N")
    attest.add_argument("--output", metavar="DIR", help="save the bundles and the keys here")
    trust = commands.group("trust", "what you trust")
    add_keys(trust.group("keys", "the keys that are trusted to sign what packs are made of"))
    add_policy(trust.group("policy", "what registered images must bring"))


def add_scans(commands: Commands) -> None:
    """Add the commands about what the service's scanner finds."""
    findings = commands.add("findings", "scan_policies:findings", "show what the scanner found in a pack")
    findings.add_argument("pack", metavar="PACK", help="its id, or its name")
    findings.add_argument("--revision", type=int, metavar="N")
    override = commands.add("override", "scan_policies:override", "let a finding of a pack pass, for a time")
    override.add_argument("pack", metavar="PACK", help="its id, or its name")
    override.add_argument("rule", metavar="RULE", help="the rule, as the finding names it")
    override.add_argument("path", metavar="PATH", help="the file, as the finding names it")
    override.add_argument("--reason", required=True, metavar="TEXT", help="why; your organisation sees it")
    override.add_argument(
        "--until", required=True, metavar="TIME", help="RFC 3339, at most 366 days from now"
    )
    policy = commands.add("scan-policy", "scan_policies:policy", "show or set which findings are refused")
    policy.add_argument(
        "--block",
        choices=("none", "low", "medium", "high", "critical"),
        help="refuse findings of this severity and above",
    )
    policy.add_argument(
        "--rule",
        action="append",
        default=[],
        metavar="RULE=block|warn|ignore|default",
        help="what is done with one rule, or a group such as secret.* (repeatable)",
    )
    policy.add_argument(
        "--incomplete", choices=("warn", "block"), help="what becomes of a scan that does not end"
    )


def add_keys(keys: Commands) -> None:
    """Add the commands about keys."""
    keys.add("list", "trust_keys:list_keys", "list the trusted keys of each deployment")
    add = keys.add("add", "trust_keys:add", "trust the keys of a file")
    add.add_argument("file", metavar="FILE", help="public keys in PEM form (- is stdin)")
    remove = keys.add("remove", "trust_keys:remove", "trust a key no more")
    remove.add_argument("key", metavar="KEY", help="its id, or the first 8 characters or more")
    remove.add_argument("-y", "--yes", action="store_true", help="do not ask")
    pin = keys.add("pin", "trust_keys:pin", "trust the keys that a deployment offers now")
    pin.add_argument("service", nargs="?", metavar="URL", help="its base URL (of the login)")
    pin.add_argument("-y", "--yes", action="store_true", help="do not ask")


def add_policy(policy: Commands) -> None:
    """Add the commands about the signature policy."""
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


def add_verify(commands: Commands) -> None:
    """Add the command that verifies an installation."""
    verify = commands.add(
        "verify",
        "verifying:verify",
        "check that installed files are what the lock says, and where they come from, offline",
    )
    verify.add_argument("folder", metavar="DIR")
    verify.add_argument(
        "--explain",
        nargs="?",
        const="",
        metavar="FILE",
        help="show the chain from a file, or each pack, to who published it",
    )
    verify.add_argument(
        "--require-provenance", action="store_true", help="count packs without a proof as differences"
    )


def add_proof(parser: argparse.ArgumentParser) -> None:
    """Add the options of what installs packs, about where they come from."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--require-provenance",
        action="store_true",
        help="refuse packs of which nothing is signed, too",
    )
    how.add_argument(
        "--no-verify-provenance",
        action="store_true",
        help="do not look at what is signed about packs",
    )
