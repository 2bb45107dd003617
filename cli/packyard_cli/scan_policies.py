"""Commands about what the service's scanner finds, refuses and lets pass (API contract, section 11, "Scans")."""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any, Final

from packyard_cli.context import Context
from packyard_cli.failure import Exit, Failure
from packyard_cli.result import Result, counted
from packyard_cli.service import JsonBody
from packyard_cli.standing import find_pack

_PATH: Final = "/scan-policy"
_TREATMENTS: Final = ("block", "warn", "ignore")
_DEFAULT: Final = "default"


def findings(options: argparse.Namespace, context: Context) -> Result:
    """Show what the service's scanner says of a pack."""
    service = context.service()
    pack = find_pack(service, options.pack)
    query = None if options.revision is None else {"revision": str(options.revision)}
    scan = service.get(f"{pack.path}/scan", query=query).body
    found = scan.get("findings", [])
    return Result(
        document=scan,
        lines=list(_lines(pack.view["name"], scan)),
        essence=[f"{finding['path']}:{finding.get('line') or ''} {finding['rule']}" for finding in found],
    )


def override(options: argparse.Namespace, context: Context) -> Result:
    """Let a finding pass until an instant, with a reason."""
    service = context.service()
    pack = find_pack(service, options.pack)
    asked = {
        "rule": options.rule,
        "path": options.path,
        "reason": options.reason,
        "expires_at": options.until,
    }
    made = service.call("POST", f"{pack.path}/scan/overrides", body=JsonBody.of(asked)).body
    line = f"{made['rule']} in {made['path']} of {pack.view['name']} is refused no more until {made['expires_at']}."
    return Result(document=made, lines=[line], essence=[made["expires_at"]])


def policy(options: argparse.Namespace, context: Context) -> Result:
    """Show what is refused of what the scanner finds, or change parts of it.

    Raises:
        Failure: A rule is not stated as RULE=TREATMENT; or the service refuses.
    """
    service = context.service()
    standing = service.get(_PATH)
    state = standing.body
    if options.block or options.incomplete or options.rule:
        rules = dict(state["rules"])
        for text in options.rule:
            name, treatment = _rule(text)
            if treatment == _DEFAULT:
                rules.pop(name, None)
            else:
                rules[name] = treatment
        changed = {
            "block": options.block or state["block"],
            "rules": rules,
            "incomplete": options.incomplete or state["incomplete"],
        }
        body = JsonBody.of(changed)
        state = service.call("PUT", _PATH, body=body, if_match=standing.etag).body
    return Result(document=state, lines=list(_policy_lines(state)), essence=[state["block"]])


def _rule(text: str) -> tuple[str, str]:
    name, equals, treatment = text.partition("=")
    if not equals or treatment not in (*_TREATMENTS, _DEFAULT):
        raise Failure(
            Exit.USAGE,
            f"{text!r} is not a rule and what is done with it.",
            "As in: packyard scan-policy --rule 'instruct.*=block' --rule secret.github-token=default",
        )
    return name, treatment


def _lines(name: str, scan: Mapping[str, Any]) -> Iterator[str]:
    found = scan.get("findings", [])
    scanner = scan.get("scanner", {})
    rules = f", rules {scanner['rules']}" if "rules" in scanner else ""
    yield f"{name}: {scan['status']}, {counted(len(found), 'finding')}{rules}"
    for finding in found:
        place = finding["path"] + (f":{finding['line']}" if finding.get("line") else "")
        passed = ", overridden" if finding.get("overridden") else ""
        yield f"{place}: {finding['severity']}{passed} ({finding['rule']})"
        if finding.get("excerpt"):
            yield f"    {finding['excerpt']}"
        yield f"    {finding['why']} {finding['advice']}"
    if scan.get("incomplete"):
        yield f"incomplete: {scan['incomplete']}"
    for each in scan.get("overrides", []):
        yield f"let pass until {each['expires_at']} by {each['by']}: {each['rule']} in {each['path']}: {each['reason']}"


def _policy_lines(state: Mapping[str, Any]) -> Iterator[str]:
    block = state["block"]
    yield (
        "refused: secrets that are found with high confidence"
        if block == "none"
        else f"refused: findings of severity {block} and above, and secrets that are found with high confidence"
    )
    for rule in sorted(state["rules"]):
        yield f"  {rule}: {state['rules'][rule]}"
    yield f"scans that do not end: {'refused' if state['incomplete'] == 'block' else 'let pass, and tried again later'}"
