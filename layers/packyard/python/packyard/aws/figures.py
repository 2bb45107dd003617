"""The service's own metrics, as lines of CloudWatch's embedded metric format in the function's log.

CloudWatch extracts metrics from such lines, so writing one needs no AWS call and no permission. Powertools writes the
lines; its Logger has already imported most of what this needs. Dimensions must have few values: the service, and for
refusals the error code, of which the API contract lists about thirty. If no namespace is set
(`POWERTOOLS_METRICS_NAMESPACE`), nothing is written.
"""

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit


def count(name: str, **dimensions: str) -> None:
    """Write a metric with the value 1 and the unit Count.

    Args:
        name: The metric's name.
        dimensions: Dimensions by name. Each must have few values, because CloudWatch keeps (and charges for) a metric
            for every combination.
    """
    record({name: (1, MetricUnit.Count)}, **dimensions)


def count_revision(operation: str, image_bytes: int | None) -> None:
    """Write the metrics of a pack's new revision.

    Args:
        operation: The operation that wrote it.
        image_bytes: The size of its image in bytes; None if the revision before had the same image.
    """
    written = {"PackRevisions": (1.0, MetricUnit.Count)}
    if image_bytes is not None:
        written["ImageBytes"] = (image_bytes, MetricUnit.Bytes)
    record(written, operation=operation)


def record(figures: dict[str, tuple[float, MetricUnit]], **dimensions: str) -> None:
    """Write several metrics with the same dimensions, in one line.

    Args:
        figures: The value and unit of each metric, by name.
        dimensions: As for `count`.
    """
    metrics = EphemeralMetrics()
    if not metrics.namespace:
        return
    for name, (value, unit) in figures.items():
        metrics.add_metric(name=name, unit=unit, value=value)
    for name, dimension in dimensions.items():
        metrics.add_dimension(name=name, value=dimension)
    metrics.flush_metrics()
