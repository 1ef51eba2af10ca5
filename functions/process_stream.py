"""Lambda function behind the event source mapping: adds batches of stream records to the total."""

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

from . import metrics
from .dynamodb import tables
from .dynamodb.client import client, create_in_init_phase
from .dynamodb.retries import RetryBudget
from .total.order import Window
from .total.records import read_batch
from .total.total import Total

logger = logging.getLogger(__name__)


class Context(Protocol):
    """The part of Lambda's context object that the function uses."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""
        ...


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Add one batch to the total. Raises if Lambda has to deliver the batch again.

    The answer has the `state` that Lambda passes to the next invocation of the same tumbling window.
    """
    return process(event, _total(), RetryBudget(lambda: context.get_remaining_time_in_millis() / 1000))


def process(event: Mapping[str, Any], total: Total, budget: RetryBudget) -> dict[str, Any]:
    """Add the records of `event` to `total`, and log a line without tags if it had repeated or new items.

    Malformed records and counts are logged at ERROR, with the item's key: delivering them again would not help. The end
    of a tumbling window comes without records, and takes no request.
    """
    if event.get("Records") == []:
        return {"state": {}}
    batch = read_batch(event)
    applied = total.apply(batch, budget)
    window = Window.read(event.get("state"), applied.position)
    for problem in batch.problems:
        logger.error("not counted: %s", problem)
    if late := window.late(batch.changes):
        logger.error("%d records of shard %s arrived after later ones; run reconcile", late, batch.shard)
        total.flag(budget)
    if batch.problems or late:
        metrics.emit(metrics.UNCOUNTED_RECORDS, len(batch.problems) + late)
    facts = {"shard": batch.shard, "records": len(event["Records"]), "applied": applied.records}
    # A line for each batch costs as much as a tenth of its request.
    is_usual = applied.records == len(batch.changes) and not applied.marked
    level = logging.DEBUG if is_usual else logging.INFO
    logger.log(level, "batch applied", extra={**facts, "delta": applied.delta, "marked": applied.marked})
    # A window begins with its first change: what came before it is known only then.
    return {"state": window.state_after(batch.changes) if batch.changes else event.get("state") or {}}


@cache
def _total() -> Total:
    return Total(client(), tables.table_name())


create_in_init_phase(client)
