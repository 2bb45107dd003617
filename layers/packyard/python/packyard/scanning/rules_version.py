"""The version of the scanner and of its rules. Nothing else is imported for it."""

from typing import Final

SCANNER_NAME: Final = "packyard"
SCANNER_VERSION: Final = "1.0.0"
# Raise it when a scan of the same files may find something else: packs are scanned again then. A test compares the
# digest with the rules, the lists and the detectors.
_RULES_VERSION: Final = "2026-11-30.4"
RULES_DIGEST: Final = "a6411912d2ca65a6"
# The version of yara-x that is locked. Compiled rules are of use to it alone.
ENGINE_VERSION: Final = "1.23.0"


def rules_version() -> str:
    """Return the version of the rules, such as `2026-11-29.2`. Versions are only compared for equality."""
    return _RULES_VERSION
