"""Event source mappings."""

from __future__ import annotations

from components.engine.answers import Computed

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


def create_event_source_mapping(site: Site, inputs: Inputs) -> Computed:
    """Connect a stream or a queue to a function."""
    tags = site.all_tags(inputs.take("tags"))
    arguments = inputs.shape(_MAPPING)
    inputs.finish()
    made = site.client("lambda").create_event_source_mapping(Tags=tags, **arguments)
    uuid = made["UUID"]
    return uuid, {
        "uuid": uuid,
        "arn": site.place.arn("lambda", f"event-source-mapping:{uuid}"),
        "functionArn": made["FunctionArn"],
        "state": made["State"],
        "tagsAll": tags,
    }
