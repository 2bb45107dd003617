"""`packyard trust policy`: what registered images must bring (API contract, section 11)."""

import argparse
import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.result import Result
from packyard_cli.service import JsonBody

_PATH: Final = "/signature-policy"
_EXAMPLE: Final = "packyard trust policy set --images 'ghcr.io/acme/*' --key cosign.pub"
_PEM_COLUMNS: Final = 64


def show(_: argparse.Namespace, context: Context) -> Result:
    """Show what registered images must bring."""
    return _shown(context.service().get(_PATH).body)


def set_policy(options: argparse.Namespace, context: Context) -> Result:
    """Set what registered images must bring."""
    policy = _asked(options, context)
    return _shown(context.service().call("PUT", _PATH, body=JsonBody.of(policy)).body)


def _asked(options: argparse.Namespace, context: Context) -> dict[str, Any]:
    one_rule = bool(options.images or options.key or options.issuer or options.subject)
    if [bool(options.file), options.none, one_rule].count(True) != 1:
        raise Failure(
            Exit.USAGE,
            "Give the file of a policy, or --none, or the one rule of a policy.",
            f"As in: {_EXAMPLE}",
        )
    if options.file:
        return _document(options.file, context)
    otherwise = options.otherwise or "accept"
    if options.none:
        return {"rules": [], "otherwise": otherwise}
    return {"rules": [_rule(options)], "otherwise": otherwise, **_trusted(options.trusted_root)}


def _rule(options: argparse.Namespace) -> dict[str, Any]:
    if not options.images or bool(options.issuer) != bool(options.subject):
        raise Failure(
            Exit.USAGE,
            "A rule needs --images, and --key or both --issuer and --subject.",
            f"As in: {_EXAMPLE}",
        )
    signers: list[dict[str, str]] = [
        {"name": Path(file).stem, "key": Path(file).read_text(encoding="utf-8")} for file in options.key
    ]
    if options.issuer:
        signers.append({"issuer": options.issuer, "subject": options.subject})
    return {
        "images": options.images,
        "signers": signers,
        "requires": options.requires or ["signature"],
    }


def _document(file: str, context: Context) -> dict[str, Any]:
    text = context.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    return _object(text, file)


def _object(text: str, file: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Failure(
            Exit.INVALID, f"{file} is not a JSON object.", "packyard trust policy show --json prints one."
        )
    return document


def _trusted(file: str | None) -> dict[str, list[str]]:
    """Return who certifies identities, and which logs say when, of a trusted root (sigstore_trustroot.proto)."""
    if file is None:
        return {}
    root = _object(Path(file).read_text(encoding="utf-8"), file)
    try:
        certificates = [
            _pem("CERTIFICATE", certificate["rawBytes"])
            for authority in root["certificateAuthorities"]
            for certificate in authority["certChain"]["certificates"]
        ]
        logs = [_pem("PUBLIC KEY", log["publicKey"]["rawBytes"]) for log in root["tlogs"]]
    except (KeyError, TypeError):
        raise Failure(
            Exit.INVALID,
            f"{file} is not a trusted root of sigstore.",
            "It has certificateAuthorities and tlogs; cosign trusted-root create makes one.",
        ) from None
    return {"authorities": list(dict.fromkeys(certificates)), "logs": list(dict.fromkeys(logs))}


def _pem(kind: str, encoded: str) -> str:
    lines = textwrap.wrap(encoded, _PEM_COLUMNS)
    return "\n".join((f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""))


def _shown(policy: Mapping[str, Any]) -> Result:
    return Result(document=dict(policy), lines=list(_lines(policy)), essence=[str(policy["otherwise"])])


def _lines(policy: Mapping[str, Any]) -> Iterator[str]:
    for rule in policy["rules"]:
        yield f"{', '.join(rule['images'])}: {', '.join(rule['requires'])}, signed by any of"
        for signer in rule["signers"]:
            yield f"  {_signer(signer)}"
    others = "all other registered images" if policy["rules"] else "all registered images"
    yield f"{others}: {'accepted' if policy['otherwise'] == 'accept' else 'refused'}"


def _signer(signer: Mapping[str, str]) -> str:
    if "key" in signer:
        return f"the key {signer['name']}"
    return f"{signer['subject']}, signed in by {signer['issuer']}"
