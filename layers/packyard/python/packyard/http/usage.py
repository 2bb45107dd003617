"""Usage in answers."""

from typing import Any

from packyard.packs.timestamp import format_timestamp
from packyard.packs.usage import Quota, Usage


def usage_view(usage: Usage) -> dict[str, Any]:
    """Return what an organisation uses, as clients see it. A limit that there is not is absent."""
    body = {quota.value: _of(usage, quota) for quota in Quota}
    body[Quota.PUBLISHES_A_DAY.value]["resets_at"] = format_timestamp(usage.resets_at)
    return body


def _of(usage: Usage, quota: Quota) -> dict[str, Any]:
    limit = usage.limits.of(quota)
    return {"used": usage.of(quota)} | ({} if limit is None else {"limit": limit})
