"""Figures of our own: lines of the embedded metric format, which CloudWatch makes metrics of."""

import json
from typing import Any

import pytest
from aws_lambda_powertools.metrics import MetricUnit

from packyard.aws import figures


@pytest.fixture(autouse=True)
def _deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Packyard/test")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "packyard")


def written(capsys: pytest.CaptureFixture[str]) -> list[Any]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_figures_that_belong_together_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    figures.record({"A": (2.5, MetricUnit.Seconds), "B": (3, MetricUnit.Bytes)}, operation="upload")

    (line,) = written(capsys)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Packyard/test"
    assert directive["Dimensions"] == [["operation", "service"]]
    assert directive["Metrics"] == [{"Name": "A", "Unit": "Seconds"}, {"Name": "B", "Unit": "Bytes"}]
    assert (line["A"], line["B"], line["operation"], line["service"]) == ([2.5], [3.0], "upload", "packyard")


def test_one_figure_does_not_leak_into_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    figures.count("Refusals", code="not_found")
    figures.count("AuthorizerFailures")

    first, second = written(capsys)
    assert first["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["code", "service"]]
    assert second["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]
    assert "Refusals" not in second


def test_without_a_namespace_nothing_is_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE")

    figures.count("Refusals", code="not_found")

    assert written(capsys) == []
