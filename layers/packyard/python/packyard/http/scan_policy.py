"""Scan policies in requests and answers."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.app import json_response
from packyard.http.entity_tags import ETAG
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json
from packyard.packs.precondition import revision_tag
from packyard.scanning.catalogue import unknown_rule
from packyard.scanning.finding import Severity
from packyard.scanning.policy import ScanPolicy, Treatment
from packyard.tenants.policy_state import PolicyState
from packyard.text.suggestion import not_one_of

MAX_RULES: Final = 100
_NONE: Final = "none"
_SHOWN: Final = 64


class OnIncomplete(StrEnum):
    """What is done when a scan does not end."""

    WARN = "warn"
    BLOCK = "block"


_SEVERITIES: Final = (_NONE, *(str(severity) for severity in Severity))
_BLOCK: Final = Field(
    name="block",
    values=_SEVERITIES,
    default=_NONE,
    example="high",
    description="Findings of this severity and above are refused.",
)
_RULES: Final = Field(
    name="rules",
    kind="object",
    pattern=r"[a-z0-9-]+\.([a-z0-9-]+|\*)",
    each=Field(name="treatment", values=Treatment, description="`block`, `warn` or `ignore`."),
    max_items=MAX_RULES,
    example={"instruct.*": "block"},
    description="What is done instead with the findings of a rule, or of all rules of a group such as `secret.*`. An "
    "id counts before a group. Secrets that are found with high confidence are refused whatever `block` says, unless "
    "`rules` says otherwise.",
)
_INCOMPLETE: Final = Field(
    name="incomplete",
    values=OnIncomplete,
    default=OnIncomplete.WARN,
    description="Whether what could not be scanned in time is refused. If not, it is scanned later.",
)
SCAN_POLICY: Final = Body(
    name="ScanPolicyChange",
    description="What is refused of what the scanner finds. A field that is absent has its default.",
    fields=(_BLOCK, _RULES, _INCOMPLETE),
)


def read_scan_policy(event: APIGatewayProxyEvent) -> ScanPolicy:
    """Return the policy that a body states.

    Raises:
        UnsupportedMediaType, PayloadTooLarge, InvalidRequest: See `read_json`.
        InvalidRequest: Every field that is wrong, by name.
    """
    given = read_json(event, SCAN_POLICY)
    faults: dict[str, str] = {}
    block = given.get(_BLOCK.name, _NONE)
    if block not in _SEVERITIES:
        faults[_BLOCK.name] = not_one_of(str(block)[:_SHOWN], _SEVERITIES)
    incomplete = given.get(_INCOMPLETE.name, OnIncomplete.WARN.value)
    if incomplete not in tuple(OnIncomplete):
        faults[_INCOMPLETE.name] = not_one_of(str(incomplete)[:_SHOWN], [str(each) for each in OnIncomplete])
    rules = _rules(given.get(_RULES.name, {}), faults)
    if faults:
        raise InvalidRequest(faults)
    return ScanPolicy(
        block=None if block == _NONE else Severity(block),
        rules=rules,
        incomplete=incomplete == OnIncomplete.BLOCK,
    )


def scan_policy_response(state: PolicyState[ScanPolicy]) -> Response[str]:
    """Return the answer with a policy."""
    policy = state.policy
    body = {
        _BLOCK.name: _NONE if policy.block is None else str(policy.block),
        _RULES.name: {rule: str(policy.rules[rule]) for rule in sorted(policy.rules)},
        _INCOMPLETE.name: str(OnIncomplete.BLOCK if policy.incomplete else OnIncomplete.WARN),
    }
    return json_response(200, body, {ETAG: revision_tag(state.revision)})


def _rules(given: Any, faults: dict[str, str]) -> Mapping[str, Treatment]:
    if not isinstance(given, dict):
        faults[_RULES.name] = 'must be an object, as in {"instruct.*": "block"}'
        return {}
    if len(given) > MAX_RULES:
        faults[_RULES.name] = f"names {len(given)} rules; {MAX_RULES} are the most"
        return {}
    rules = {}
    treatments = [str(each) for each in Treatment]
    for name, treatment in given.items():
        field = f"{_RULES.name}.{name[:_SHOWN]}"
        if (unknown := unknown_rule(name, groups=True)) is not None:
            faults[field] = unknown
        elif treatment not in treatments:
            faults[field] = not_one_of(str(treatment)[:_SHOWN], treatments)
        else:
            rules[name] = Treatment(treatment)
    return rules
