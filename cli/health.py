"""The state of a deployment, part by part, and what about it needs attention."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from .api import Api, ApiError
from .deployment import FUNCTIONS, Deployment
from .show import number

Part = Mapping[str, Any]
"""A part of the status; `{"error": …}` if it cannot be read."""

LAG_WINDOW = timedelta(minutes=15)
_API_SECONDS = 15.0


def read(deployment: Deployment, token: str | None = None) -> dict[str, Part]:
    """Read every part of the deployment whose output is known. `token` is for counts that require one."""
    parts = {
        "api": ("apiEndpoint", lambda one: _api(one, "/")),
        "counts": ("apiEndpoint", lambda one: _api(one, "/counts", token)),
        **_PARTS,
    }
    return {name: part for name, (needed, get) in parts.items() if (part := _read(deployment, needed, get))}


def problems(parts: Mapping[str, Part]) -> list[str]:
    """Return a sentence for each thing that needs attention. Pure."""
    found = []
    for name, part in parts.items():
        if "error" in part:
            found.append(f"{name}: {part['error']}")
        elif name in _PROBLEMS:
            found += _PROBLEMS[name](part)
    return found


def belongs(alarm: Mapping[str, Any], names: Iterable[str]) -> bool:
    """Whether an alarm watches one of the deployment's resources, by the dimensions of its metrics. Pure."""
    metrics = [alarm, *(one.get("MetricStat", {}).get("Metric", {}) for one in alarm.get("Metrics", ()))]
    values = {each["Value"] for metric in metrics for each in metric.get("Dimensions", ())}
    return not values.isdisjoint(names)


def _read(deployment: Deployment, needed: str, get: Callable[[Deployment], Part]) -> Part | None:
    from . import aws  # noqa: PLC0415

    if needed and not deployment.has(needed):
        return None
    try:
        return get(deployment)
    except (*aws.ERRORS, ApiError) as error:
        return {"error": str(error)}


def _api(deployment: Deployment, route: str, token: str | None = None) -> Part:
    api = Api(deployment, token=token)
    answer = api.request(route, timeout=_API_SECONDS)
    found: dict[str, Any] = {
        "endpoint": f"{api.endpoint}{route.rstrip('/')}",
        "status": answer.status,
        "milliseconds": answer.milliseconds,
    }
    return found if answer.status == 200 else {**found, "reason": f"{answer.reason}{api.hint(route, 'GET', answer)}"}


def _total(deployment: Deployment) -> Part:
    from .operate.table import UNUSED, CounterTable  # noqa: PLC0415

    table = CounterTable(deployment.client("dynamodb"), deployment.table)
    found = table.counter()
    if isinstance(found, str):
        # Before the first visit there is no total, and no tag.
        is_unused = found == UNUSED and not any(page.images for page in table.scan())
        return {"visits": None, "updatedAt": None, "rebuilding": False, "damage": None if is_unused else found}
    following, now = found.following, time.time()
    newest = sorted(found.positions.items(), key=lambda each: each[1].created, reverse=True)
    return {
        "visits": found.total,
        "updatedAt": found.updated or None,
        "rebuilding": found.rebuilding,
        "damage": None,
        "ended": found.ended,
        "generation": {"mark": found.present.mark, "begins": found.present.begins},
        "rebuild": {"mark": following.mark, "visits": found.beside} if following else None,
        "shards": [
            {"shard": shard, "position": str(at.sequence), "secondsAgo": max(0, round(now - at.created))}
            for shard, at in newest
        ],
    }


def _tables(deployment: Deployment) -> Part:
    client, found = deployment.client("dynamodb"), {}
    for output in ("tableName", "idempotencyTableName"):
        if deployment.has(output):
            table = client.describe_table(TableName=deployment.text(output))["Table"]
            found[table["TableName"]] = {
                "status": table["TableStatus"],
                "items": table.get("ItemCount", 0),
                "bytes": table.get("TableSizeBytes", 0),
                "stream": table.get("StreamSpecification", {}).get("StreamViewType"),
            }
    return found


def _mapping(deployment: Deployment) -> Part:
    mapping = deployment.client("lambda").get_event_source_mapping(UUID=deployment.text("eventSourceMappingId"))
    return {
        "uuid": mapping["UUID"],
        "state": mapping.get("State"),
        "reason": mapping.get("StateTransitionReason"),
        "lastResult": mapping.get("LastProcessingResult"),
        "startingPosition": mapping.get("StartingPosition"),
        "batchSize": mapping.get("BatchSize"),
        "batchingWindowSeconds": mapping.get("MaximumBatchingWindowInSeconds", 0),
        "function": str(mapping.get("FunctionArn", "")).rpartition(":function:")[2],
    }


def _lag(deployment: Deployment) -> Part | None:
    function = deployment.functions.get("processStream")
    if not function:
        return None
    now = datetime.now(UTC)
    points = deployment.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="IteratorAge",
        Dimensions=[{"Name": "FunctionName", "Value": function}],
        StartTime=now - LAG_WINDOW,
        EndTime=now,
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    newest = max(points, key=lambda point: point["Timestamp"], default=None)
    return {
        "milliseconds": round(newest["Maximum"]) if newest else None,
        "at": newest["Timestamp"].isoformat() if newest else None,
    }


def _queue(deployment: Deployment) -> Part:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = deployment.text("deadLetterQueueUrl")
    attributes = deployment.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return {"url": url, "messages": int(attributes[names[0]]), "inFlight": int(attributes[names[1]])}


def _functions(deployment: Deployment) -> Part:
    client, found = deployment.client("lambda"), {}
    for key, name in deployment.functions.items():
        function = client.get_function_configuration(FunctionName=name)
        found[key] = {
            "name": name,
            "state": function.get("State"),
            "lastUpdate": function.get("LastUpdateStatus"),
            "modified": function.get("LastModified"),
            "runtime": function.get("Runtime"),
        }
    return found


def _alarms(deployment: Deployment) -> Part:
    """Find the alarms by the names of the resources that they watch: an alarm is not an output."""
    names = {*deployment.functions.values(), *(str(value) for value in deployment.outputs.values())}
    if deployment.has("deadLetterQueueUrl"):
        names.add(deployment.text("deadLetterQueueUrl").rpartition("/")[2])
    pages = deployment.client("cloudwatch").get_paginator("describe_alarms").paginate()
    alarms = [alarm for page in pages for alarm in page.get("MetricAlarms", ()) if belongs(alarm, names)]
    return {
        "alarms": [
            {"name": one["AlarmName"], "state": one["StateValue"], "reason": one.get("StateReason", "")}
            for one in sorted(alarms, key=lambda one: str(one["AlarmName"]))
        ]
    }


_PARTS: Mapping[str, tuple[str, Callable[[Deployment], Any]]] = {
    "total": ("tableName", _total),
    "tables": ("tableName", _tables),
    "mapping": ("eventSourceMappingId", _mapping),
    "lag": (FUNCTIONS, _lag),
    "queue": ("deadLetterQueueUrl", _queue),
    "functions": (FUNCTIONS, _functions),
    "alarms": ("", _alarms),
}
"""The parts of the status besides those of the API: the output that each needs, and what reads it."""


def has_failed(result: str | None) -> bool:
    """Whether a mapping's last result is a failure: Lambda says "PROBLEM: …", the emulator "FAILED"."""
    return (result or "").upper().startswith(("PROBLEM", "FAILED"))


def _api_problems(what: str, part: Part) -> Iterable[str]:
    if part["status"] != 200:
        yield f"{what} is answered with {part['reason']}."


def _total_problems(part: Part) -> Iterable[str]:
    if part["damage"]:
        yield f"There is no total: {part['damage']}; run `counter reconcile`."
    if part["rebuilding"]:
        yield "The total is marked as too low (`Rebuilding`); run `counter reconcile`."


def _mapping_problems(part: Part) -> Iterable[str]:
    if part["state"] != "Enabled":
        yield f"The event source mapping is {part['state']}: {part['reason'] or 'no reason given'}."
    if has_failed(part["lastResult"]):
        yield f"The last batch failed ({part['lastResult']}); see `counter logs`."


def _queue_problems(part: Part) -> Iterable[str]:
    if count := part["messages"] + part["inFlight"]:
        yield f"The dead-letter queue holds {number(count, 'message')}; see `counter failures`."


def _function_problems(part: Part) -> Iterable[str]:
    for one in part.values():
        if one["state"] not in (None, "Active") or one["lastUpdate"] not in (None, "Successful"):
            yield f"Function {one['name']} is {one['state']}, its update {one['lastUpdate']}."


_PROBLEMS: Mapping[str, Callable[[Part], Iterable[str]]] = {
    "api": lambda part: _api_problems("The start page", part),
    "counts": lambda part: _api_problems("Reading counts", part),
    "total": _total_problems,
    "tables": lambda part: [
        f"Table {name} is {one['status']}." for name, one in part.items() if one["status"] != "ACTIVE"
    ],
    "mapping": _mapping_problems,
    "queue": _queue_problems,
    "functions": _function_problems,
    "alarms": lambda part: [
        f"Alarm {one['name']}: {one['reason']}" for one in part["alarms"] if one["state"] == "ALARM"
    ],
}
