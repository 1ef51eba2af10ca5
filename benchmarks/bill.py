"""The bill of a month: dated prices, which are inputs, times what a counter uses. Pure, once the prices are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from .batches import Traffic
from .designs import OURS, Design, Stream, stream_side

SECONDS = 30 * 24 * 3600
"""The seconds of a month."""

MEMORY_GIGABYTES = 0.25
"""The default of `memorySize`."""

VISIT_SECONDS = 0.010
"""Billed for one visit or one read: an estimate, of a few milliseconds of work at this memory and one request."""

REQUEST_LOG_BYTES = 300
"""The line of the access log for one request (docs/operations.md, "Costs")."""

METRIC_LOG_BYTES = 230
"""The line of a metric, which each visit writes (docs/operations.md, "Costs"). A batch usually writes no line."""


@cache
def prices() -> Mapping[str, Any]:
    """Read the prices, with their region and date."""
    text = Path(__file__).with_name("prices.json").read_text(encoding="utf-8")
    read: Mapping[str, Any] = json.loads(text)
    return read


def cost(amounts: Mapping[str, float]) -> float:
    """Return the price of amounts, by the names of the prices. Raises KeyError if one has no price."""
    listed = prices()["prices"]
    return sum(amount * float(listed[name]["price"]) / float(listed[name]["per"]) for name, amount in amounts.items())


def visit() -> dict[str, dict[str, float]]:
    """Return what one visit uses besides the stream, by line of the bill."""
    return {
        "HTTP API": {"api_requests": 1},
        "visits: function": {"invocations": 1, "gigabyte_seconds": VISIT_SECONDS * MEMORY_GIGABYTES},
        "visits: table": {"write_units": 1},
        "logs": {"log_gigabytes": (REQUEST_LOG_BYTES + METRIC_LOG_BYTES) / 1e9},
    }


def total(design: Design, traffic: Traffic, stream: Stream) -> dict[str, dict[str, float]]:
    """Return what the total uses for one visit, by line of the bill."""
    side = stream_side(design, traffic, stream)
    seconds = side.seconds * MEMORY_GIGABYTES
    return {
        "total: function": {"invocations": side.invocations, "gigabyte_seconds": seconds},
        "total: table": {"write_units": side.write_units},
    }


def month(traffic: Traffic, stream: Stream, design: Design = OURS) -> dict[str, float]:
    """Return the dollars of a month of visits at `stream.rate`, by line of the bill."""
    visits = stream.rate * SECONDS
    return {line: visits * cost(amounts) for line, amounts in (visit() | total(design, traffic, stream)).items()}


def million_visits(traffic: Traffic, stream: Stream, design: Design = OURS, items_per_tag: int = 1) -> float:
    """Return the dollars of a million visits. A visit of a tag with several items reads the others for its answer."""
    others = {"others": {"read_units": items_per_tag - 1}}
    parts = visit() | others | total(design, traffic.over(items_per_tag), stream)
    return 1e6 * sum(cost(amounts) for amounts in parts.values())


def million_reads() -> float:
    """Return the dollars of a million requests for a count, each of which reads the tag and the total."""
    read = {"api_requests": 1, "invocations": 1, "gigabyte_seconds": VISIT_SECONDS * MEMORY_GIGABYTES, "read_units": 2}
    return 1e6 * cost(read | {"log_gigabytes": REQUEST_LOG_BYTES / 1e9})


def provisioned_month(reads: int, writes: int) -> float:
    """Return the dollars of a month of a table's provisioned capacity."""
    hours = SECONDS / 3600
    return cost({"read_capacity_hours": reads * hours, "write_capacity_hours": writes * hours})
