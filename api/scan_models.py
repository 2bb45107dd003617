"""What the service answers about scans, as types."""

from datetime import datetime
from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from packyard.http.scan_policy import OnIncomplete
from packyard.scanning.finding import MAX_EXCERPT, Confidence, Severity
from packyard.scanning.policy import Treatment
from packyard.scanning.result import ResultStatus


class Scanner(TypedDict):
    """Which scanner, and which rules."""

    name: str
    version: str
    rules: Annotated[str, Field(description="The version of its rules.")]


class ScanFinding(TypedDict):
    """One place at which a rule applies."""

    rule: str
    severity: Severity
    confidence: Annotated[Confidence, Field(description="How often findings of the rule are right.")]
    path: str
    line: NotRequired[Annotated[int, Field(ge=1, description="Absent where it is about the whole file.")]]
    excerpt: Annotated[str, Field(max_length=MAX_EXCERPT, description="The place. Secrets in it are masked.")]
    why: str
    advice: str
    overridden: NotRequired[Annotated[bool, Field(description="True while an override lets it pass.")]]


class RefusedFinding(TypedDict):
    """A finding that a scan policy refuses."""

    rule: str
    severity: Severity
    confidence: NotRequired[Confidence]
    path: NotRequired[str]
    line: NotRequired[Annotated[int, Field(ge=1)]]
    excerpt: NotRequired[Annotated[str, Field(max_length=MAX_EXCERPT)]]
    why: NotRequired[str]
    advice: NotRequired[str]


class ScanOverride(TypedDict):
    """A rule whose findings in one file are refused no more."""

    rule: str
    path: str
    reason: str
    expires_at: datetime
    by: str
    at: datetime


class PackScan(TypedDict):
    """What the scanner says of an image. Other organisations see neither findings nor overrides."""

    status: Annotated[
        ResultStatus,
        Field(
            description="`blocked`: a later scan found what your scan policy refuses, and the image was withdrawn. "
            "`incomplete`: some of it was not scanned; a later scan is due. `not_scanned`: there is no result, as for "
            "every registered image."
        ),
    ]
    scanner: NotRequired[Scanner]
    scanned_at: NotRequired[datetime]
    findings: NotRequired[Annotated[list[ScanFinding], Field(description="The worst first.")]]
    left_off: NotRequired[Annotated[int, Field(ge=1, description="How many findings more there were.")]]
    incomplete: NotRequired[Annotated[str, Field(description="Why some of it was not scanned.")]]
    overrides: NotRequired[list[ScanOverride]]


class ScanPolicyState(TypedDict):
    """What of the scanner's findings an organisation refuses."""

    block: Annotated[
        str, Field(description="Findings of this severity and above are refused; `none` for none.")
    ]
    rules: Annotated[
        dict[str, Treatment],
        Field(
            description="What is done instead with the findings of a rule, or of a group such as `secret.*`."
        ),
    ]
    incomplete: OnIncomplete


MODELS = (PackScan, ScanOverride, ScanPolicyState)
