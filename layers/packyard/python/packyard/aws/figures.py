"""Our own figures, as CloudWatch metrics: lines of the embedded metric format in the function's log.

CloudWatch makes metrics of such lines, so a figure costs no call and needs no permission. Powertools writes them; its
Logger has loaded that part of it already. Dimensions are bounded: the service, and for refusals the error's code, of
which the API contract lists about thirty. Without a namespace (`POWERTOOLS_METRICS_NAMESPACE`) nothing is written.
"""

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit


def count(name: str, **dimensions: str) -> None:
    """Count one.

    Args:
        name: The metric.
        dimensions: What to tell apart; few values each, since CloudWatch keeps a metric for every combination.
    """
    record({name: (1, MetricUnit.Count)}, **dimensions)


def record(figures: dict[str, tuple[float, MetricUnit]], **dimensions: str) -> None:
    """Write figures that belong together, in one line.

    Args:
        figures: Each metric's value and unit.
        dimensions: As for `count`.
    """
    metrics = EphemeralMetrics()
    if not metrics.namespace:
        return
    for name, (value, unit) in figures.items():
        metrics.add_metric(name=name, unit=unit, value=value)
    for name, told in dimensions.items():
        metrics.add_dimension(name=name, value=told)
    metrics.flush_metrics()
