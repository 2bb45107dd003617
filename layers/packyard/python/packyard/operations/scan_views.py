"""The result of a scan as its owner sees it."""

from typing import Any

from packyard.packs.timestamp import format_timestamp
from packyard.scanning.result import ScanResult


def result_view(result: ScanResult) -> dict[str, Any]:
    """Return a result as JSON (API contract, section 11); fields that do not apply are absent."""
    view: dict[str, Any] = {"status": str(result.status)}
    if result.scanner is not None:
        view["scanner"] = result.scanner.view()
    view |= {
        "scanned_at": format_timestamp(result.at),
        "findings": [finding.view() for finding in result.findings],
    }
    optional = {"left_off": result.left_off or None, "incomplete": result.incomplete}
    return view | {name: value for name, value in optional.items() if value is not None}
