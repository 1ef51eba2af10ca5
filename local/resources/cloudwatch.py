"""CloudWatch alarms and dashboards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.engine.answers import Computed

from ..inputs import Inputs, Shape, same
from ..site import Site

_METRIC: Shape = same("dimensions", "metricName", "namespace", "period", "stat", "unit")
_QUERY: Shape = {
    **same("accountId", "expression", "id", "label", "period", "returnData"),
    "metric": ("Metric", _METRIC),
}
_ALARM: Shape = {
    **same("actionsEnabled", "alarmActions", "alarmDescription", "comparisonOperator", "datapointsToAlarm"),
    **same("evaluationPeriods", "extendedStatistic", "insufficientDataActions", "metricName", "namespace", "period"),
    **same("statistic", "threshold", "thresholdMetricId", "treatMissingData", "unit"),
    "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
    "metricQueries": ("Metrics", _QUERY),
    "okActions": "OKActions",
}


def create_metric_alarm(site: Site, inputs: Inputs) -> Computed:
    """Make an alarm. The emulator does not evaluate it as CloudWatch does, but its state can be set."""
    name = site.physical_name(inputs.resource, inputs.take("name"))
    tags = site.all_tags(inputs.take("tags"))
    dimensions = inputs.take("dimensions", {})
    arguments = inputs.shape(_ALARM)
    inputs.finish()
    if dimensions:
        arguments["Dimensions"] = _listed(dimensions)
    if "Metrics" in arguments:
        arguments["Metrics"] = [_query(one) for one in arguments["Metrics"]]
    client = site.client("cloudwatch")
    client.put_metric_alarm(
        AlarmName=name, Tags=[{"Key": key, "Value": value} for key, value in tags.items()], **arguments
    )
    arn = site.place.arn("cloudwatch", f"alarm:{name}")
    return name, {"name": name, "arn": arn, "tagsAll": tags}


def create_dashboard(site: Site, inputs: Inputs) -> Computed:
    """Make a dashboard. The emulator keeps it and has no page that shows it."""
    name, body = inputs.take("dashboardName"), inputs.take("dashboardBody")
    inputs.finish()
    site.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=body)
    return name, {"dashboardArn": site.place.arn("cloudwatch", f"dashboard/{name}", region="")}


def _listed(dimensions: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


def _query(query: dict[str, Any]) -> dict[str, Any]:
    """Nest a metric as the API does; the provider has all of its properties side by side."""
    if (metric := query.pop("Metric", None)) is None:
        return query
    nested = {key: metric.pop(key) for key in ("Namespace", "MetricName") if key in metric}
    return {
        **query,
        "MetricStat": {"Metric": {**nested, "Dimensions": _listed(metric.pop("Dimensions", {}))}, **metric},
    }
