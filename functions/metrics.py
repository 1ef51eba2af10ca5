"""Metrics in the Embedded Metric Format: lines of JSON on standard output, which CloudWatch makes metrics of.

Lambda writes standard output to the function's log, so a metric takes no request, no permission and no library. Pure
but for that line. See "Specification: Embedded metric format" in the CloudWatch User Guide.
"""

import os
import sys
import time

METRICS_NAMESPACE = "METRICS_NAMESPACE"
"""The environment variable that holds the metrics' namespace. Without it, nothing is written."""

NAMESPACE = "StreamTriggeredCounter"
"""The namespace that the component sets."""

DIMENSION = "FunctionName"
"""The only dimension, as of Lambda's own metrics. Each further value would be another metric to pay for."""

VISITS = "Visits"
"""Visits that `record_visit` counted; not replays of an idempotency key."""

UNCOUNTED_RECORDS = "UncountedRecords"
"""Stream records that the total lacks until `reconcile` has run: malformed ones, malformed counts, late arrivals."""

GENERATIONS = "GenerationsStarted"
"""Generations of the total that `process_stream` started because `COUNTER` was missing or damaged. The total is too low
until `reconcile` has run."""


def emit(metric: str, value: int = 1) -> None:
    """Write one value of a metric, all of which are numbers of things."""
    namespace = os.environ.get(METRICS_NAMESPACE)
    if not namespace:
        return
    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
    # Written without `json`, which takes more than twice as long: no part of it needs escaping. One write, since
    # another line may come between two.
    sys.stdout.write(
        f'{{"_aws":{{"Timestamp":{time.time_ns() // 1_000_000},"CloudWatchMetrics":[{{"Namespace":"{namespace}",'
        f'"Dimensions":[["{DIMENSION}"]],"Metrics":[{{"Name":"{metric}","Unit":"Count"}}]}}]}},'
        f'"{DIMENSION}":"{function}","{metric}":{value}}}\n'
    )
