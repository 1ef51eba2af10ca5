"""Event source mappings."""

from __future__ import annotations

import json

from components.engine.answers import Computed
from components.event_filter import EventFilterError, check_event_filter

from ..errors import ResourceError
from ..inputs import Inputs, Shape, same
from ..site import Site

_MAPPING: Shape = {
    **same("batchSize", "bisectBatchOnFunctionError", "enabled", "eventSourceArn", "functionName"),
    **same("functionResponseTypes", "maximumBatchingWindowInSeconds", "maximumRecordAgeInSeconds"),
    **same("maximumRetryAttempts", "parallelizationFactor", "startingPosition", "startingPositionTimestamp"),
    **same("tumblingWindowInSeconds"),
    "destinationConfig": ("DestinationConfig", {"onFailure": ("OnFailure", {"destinationArn": "Destination"})}),
    "filterCriteria": ("FilterCriteria", {"filters": ("Filters", same("pattern"))}),
    "kmsKeyArn": "KMSKeyArn",
    "metricsConfig": ("MetricsConfig", same("metrics")),
    "scalingConfig": ("ScalingConfig", same("maximumConcurrency")),
}

UNSUPPORTED_FILTERS = ("$or", "equals-ignore-case")
"""What the emulator accepts in event filters and then never matches."""


def create_event_source_mapping(site: Site, inputs: Inputs) -> Computed:
    """Connect a stream or a queue to a function."""
    tags = site.all_tags(inputs.take("tags"))
    arguments = inputs.shape(_MAPPING)
    inputs.finish()
    if ":dynamodb:" in arguments["EventSourceArn"]:
        for one in arguments.get("FilterCriteria", {}).get("Filters", ()):
            _check_filter(inputs, one["Pattern"])
    made = site.client("lambda").create_event_source_mapping(Tags=tags, **arguments)
    uuid = made["UUID"]
    return uuid, {
        "uuid": uuid,
        "arn": site.place.arn("lambda", f"event-source-mapping:{uuid}"),
        "functionArn": made["FunctionArn"],
        "state": made["State"],
        "tagsAll": tags,
    }


def _check_filter(inputs: Inputs, pattern: str) -> None:
    """Refuse a pattern that AWS refuses, or that the emulator does not support: it would match nothing, or anything."""
    try:
        check_event_filter(pattern)
    except EventFilterError as error:
        where = f"{error.path} " if error.path else ""
        raise ResourceError(inputs.resource, f"filterCriteria: {where}{error.problem}") from None
    inputs.refuse(
        f"filterCriteria: {name}" for name in UNSUPPORTED_FILTERS if json.dumps(name) + ":" in _packed(pattern)
    )


def _packed(pattern: str) -> str:
    """Return JSON text without spaces between its tokens; a colon then follows a key at once, and no other text."""
    return json.dumps(json.loads(pattern), separators=(",", ":"))
