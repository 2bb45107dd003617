"""What the scanner says of a pack, and overrides, in requests and answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http import instant
from packyard.http.app import json_response
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json
from packyard.http.revision_field import REVISION
from packyard.http.scan_policy import unknown_rule
from packyard.operations.pack_scans import PackScan
from packyard.operations.scan_views import result_view
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.file_edit import check_new_path
from packyard.packs.image_state import MAX_REASON_CHARACTERS, parse_reason
from packyard.packs.timestamp import format_timestamp
from packyard.scanning.override import ScanOverride
from packyard.scanning.result import ResultStatus

QUERY: Final = (REVISION,)
_RULE: Final = Field(
    name="rule",
    required=True,
    example="secret.github-token",
    description="The rule, as the finding names it.",
)
_PATH: Final = Field(
    name="path", required=True, example="guides/start.md", description="The file, as the finding names it."
)
_REASON: Final = Field(
    name="reason",
    required=True,
    min_length=1,
    max_length=MAX_REASON_CHARACTERS,
    example="It is the example of the vendor's own documentation.",
    description="Why, for your own organisation. Others do not see it.",
)
_EXPIRES_AT: Final = Field(
    name="expires_at",
    required=True,
    pattern=instant.PATTERN,
    example=instant.EXAMPLE,
    description="Until when it counts: RFC 3339, at most 366 days from now.",
)
OVERRIDE: Final = Body(
    name="ScanOverrideRequest",
    description="A rule whose findings in one file are refused no more.",
    fields=(_RULE, _PATH, _REASON, _EXPIRES_AT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRequest:
    """What a body asks for. See `ScanOverride`."""

    rule: str
    path: str
    reason: str
    expires_at: datetime

    @property
    def texts(self) -> tuple[str, ...]:
        """The fields as texts, which are equal for equal requests."""
        return self.rule, self.path, self.reason, format_timestamp(self.expires_at)


def read_override(event: APIGatewayProxyEvent, *, limits: ArchiveLimits) -> OverrideRequest:
    """Return the override that a body asks for.

    Args:
        event: The gateway's event.
        limits: Bounds on paths.

    Raises:
        UnsupportedMediaType, PayloadTooLarge, InvalidRequest: See `read_json`.
        InvalidRequest: Every field that is wrong, by name.
    """
    given = read_json(event, OVERRIDE)
    rule, path = given[_RULE.name], given[_PATH.name]
    faults: dict[str, str] = {}
    if not isinstance(rule, str):
        faults[_RULE.name] = f'must be text, as in "{_RULE.example}"'
    elif (unknown := unknown_rule(rule, groups=False)) is not None:
        faults[_RULE.name] = unknown
    if not isinstance(path, str):
        faults[_PATH.name] = f'must be text, as in "{_PATH.example}"'
    else:
        try:
            check_new_path(path, limits=limits)
        except InvalidRequest as refusal:
            faults |= refusal.fields
    reason, expires_at = parse_reason(given[_REASON.name]), instant.parse_instant(given[_EXPIRES_AT.name])
    if reason is None:
        faults[_REASON.name] = (
            f"must be a text of 1 to {MAX_REASON_CHARACTERS} characters, without control characters other than line "
            "feeds"
        )
    if expires_at is None:
        faults[_EXPIRES_AT.name] = instant.FAULT
    if faults or reason is None or expires_at is None:
        raise InvalidRequest(faults)
    return OverrideRequest(rule=rule, path=path, reason=reason, expires_at=expires_at)


def scan_response(scan: PackScan) -> Response[str]:
    """Return what the scanner says of a pack. Other organisations see no findings (API contract, section 11)."""
    if scan.result is None:
        return json_response(
            200, {"status": str(ResultStatus.NOT_SCANNED), "findings": [], **_overrides(scan)}
        )
    view = result_view(scan.result)
    if not scan.owned:
        seen = ("status", "scanner", "scanned_at")
        return json_response(200, {name: view[name] for name in seen if name in view})
    for finding, shown in zip(scan.result.findings, view["findings"], strict=True):
        if any((each.rule, each.path) == (finding.rule, finding.path) for each in scan.overrides):
            shown["overridden"] = True
    return json_response(200, {**view, **_overrides(scan)})


def override_response(override: ScanOverride) -> Response[str]:
    """Return a new override."""
    return json_response(201, _view(override))


def _overrides(scan: PackScan) -> dict[str, Any]:
    return {"overrides": [_view(each) for each in scan.overrides]} if scan.overrides else {}


def _view(override: ScanOverride) -> dict[str, str]:
    return {
        "rule": override.rule,
        "path": override.path,
        "reason": override.reason,
        "expires_at": format_timestamp(override.expires_at),
        "by": override.by,
        "at": format_timestamp(override.at),
    }
