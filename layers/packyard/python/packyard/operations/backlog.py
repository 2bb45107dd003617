"""Measuring how many packs wait for their deletion, for the alarm on deletions that are stuck."""

from datetime import datetime

from aws_lambda_powertools.metrics import MetricUnit

from packyard.aws import figures
from packyard.store.deletions import Backlog, DeletionStore


def measure_backlog(deletions: DeletionStore, *, now: datetime) -> Backlog:
    """Write how many packs are being deleted, and for how long the oldest has been, as metrics. One read.

    The age is 0 when no pack is being deleted. A missing metric thus means that nothing has been measured.

    Args:
        deletions: The deletions.
        now: The present instant.

    Raises:
        ServiceUnavailable: DynamoDB did not answer, and nothing has been measured.
    """
    backlog = deletions.backlog()
    age = 0.0 if backlog.oldest_asked_at is None else (now - backlog.oldest_asked_at).total_seconds()
    figures.record(
        {
            "PendingDeletions": (backlog.count, MetricUnit.Count),
            "OldestDeletionSeconds": (max(0.0, age), MetricUnit.Seconds),
        }
    )
    return backlog
