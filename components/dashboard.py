"""The dashboard: a chart for each condition that has an alarm, with its threshold, and charts of the traffic."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pulumi
import pulumi_aws as aws

from .alarms import ALARMS, Alarm, Metric, Watched, api, processor
from .functions_package import DIMENSION, NAMESPACE, VISITS

CONSOLES = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}
"""The consoles of the partitions other than `aws`."""

WIDTH, HEIGHT, COLUMNS = 8, 6, 3
"""The size of a chart in cells of the dashboard's grid, which is 24 cells wide, and the charts in a row."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Metrics over time. With an `expression`, only its value is shown; `threshold` is a line across the chart."""

    title: str
    metrics: tuple[Metric, ...]
    expression: str = ""
    threshold: Callable[[Watched], float] | None = None
    period: int = 60
    is_possible: Callable[[Watched], bool] = lambda _: True


def _mapping(name: str) -> Metric:
    return Metric("AWS/Lambda", name, {"EventSourceMappingUUID": "mapping"})


TRAFFIC: tuple[Chart, ...] = (
    Chart(title="requests", metrics=(api("Count"), api("4xx"), api("5xx"))),
    Chart(
        title="visits",
        metrics=(Metric(NAMESPACE, VISITS, {DIMENSION: "recorder"}),),
        is_possible=lambda watched: watched.settings.metrics,
    ),
    Chart(
        title="stream records",
        metrics=tuple(map(_mapping, ("PolledEventCount", "FilteredOutEventCount", "InvokedEventCount"))),
        is_possible=lambda watched: watched.stream.mapping_metrics,
    ),
    Chart(title="batches", metrics=(processor("Invocations"), processor("ConcurrentExecutions", "Maximum"))),
)
"""The charts that belong to no alarm."""


def charts() -> list[Chart]:
    """List all charts: those of the traffic, then one for each section of the runbook."""
    groups = (list(each) for _, each in groupby(ALARMS, key=lambda alarm: alarm.section or alarm.name))
    return [*TRAFFIC, *map(_of_alarms, groups)]


def _of_alarms(alarms: Sequence[Alarm]) -> Chart:
    """Make the chart of the alarms of a section, which have one threshold."""
    first = alarms[0]
    return Chart(
        title=first.section or first.name,
        metrics=tuple(metric for alarm in alarms for metric in alarm.metrics),
        expression=first.expression,
        threshold=first.threshold,
        period=first.period,
        is_possible=first.is_possible,
    )


def create_dashboard(
    name: str, watched: Watched, alarms: Sequence[aws.cloudwatch.MetricAlarm], parent: pulumi.Resource
) -> pulumi.Output[str]:
    """Create the dashboard, and return its address in the console; "" if it is switched off."""
    if not watched.settings.dashboard:
        return pulumi.Output.from_input("")
    neighbour: pulumi.Output[Any] = pulumi.Output.from_input(watched.names["table_arn"])
    region = neighbour.apply(lambda arn: _place(arn)[1])
    dashboard = aws.cloudwatch.Dashboard(
        f"{name}-dashboard",
        # Pulumi makes up no name for a dashboard, and one of an account must differ from those of all its regions.
        dashboard_name=pulumi.Output.concat(name, "-", watched.names["api"]),
        dashboard_body=pulumi.Output.json_dumps(
            {"widgets": [_states(alarms), *_widgets(watched, region)] if alarms else _widgets(watched, region)}
        ),
        # A counter that is renamed keeps its dashboard's address.
        opts=pulumi.ResourceOptions(parent=parent, ignore_changes=["dashboard_name"]),
    )
    return pulumi.Output.all(neighbour, dashboard.dashboard_name).apply(lambda known: console_address(*known))


def console_address(neighbour_arn: str | None, name: str) -> str:
    """Return the address of a dashboard in the console, in the partition and region of another resource's ARN."""
    partition, region = _place(neighbour_arn)
    host = CONSOLES.get(partition, "console.aws.amazon.com")
    return f"https://{host}/cloudwatch/home?region={region}#dashboards/dashboard/{name}"


def _place(arn: str | None) -> tuple[str, str]:
    """Return the partition and the region of an ARN. Pulumi's own mocks know none."""
    _, partition, _, region, *_ = (arn or "arn:aws::").split(":")
    return partition, region


def _states(alarms: Sequence[aws.cloudwatch.MetricAlarm]) -> dict[str, Any]:
    properties = {"title": "alarms", "alarms": [alarm.arn for alarm in alarms]}
    return {"type": "alarm", "x": 0, "y": 0, "width": WIDTH * COLUMNS, "height": 3, "properties": properties}


def _widgets(watched: Watched, region: pulumi.Output[str]) -> list[dict[str, Any]]:
    return [
        {
            "type": "metric",
            "x": WIDTH * (place % COLUMNS),
            "y": 3 + HEIGHT * (place // COLUMNS),
            "width": WIDTH,
            "height": HEIGHT,
            "properties": {
                "title": chart.title,
                "region": region,
                "view": "timeSeries",
                "period": chart.period,
                "metrics": _lines(chart, watched.names),
                "yAxis": {"left": {"min": 0}},
                **_threshold(chart, watched),
            },
        }
        for place, chart in enumerate(chart for chart in charts() if chart.is_possible(watched))
    ]


def _threshold(chart: Chart, watched: Watched) -> dict[str, Any]:
    if chart.threshold is None:
        return {}
    return {"annotations": {"horizontal": [{"label": "alarm", "value": chart.threshold(watched)}]}}


def _lines(chart: Chart, names: Mapping[str, pulumi.Input[str]]) -> list[list[Any]]:
    """Return the metrics as a dashboard lists them: namespace, name, dimensions, and how each is drawn."""
    lines: list[list[Any]] = []
    if chart.expression:
        lines.append([{"id": "result", "expression": chart.expression, "label": chart.title}])
    for index, metric in enumerate(chart.metrics):
        dimensions = [text for dimension, key in metric.dimensions.items() for text in (dimension, names[key])]
        options = {"id": f"m{index}", "stat": metric.statistic, "visible": not chart.expression}
        lines.append([metric.namespace, metric.name, *dimensions, options])
    return lines
