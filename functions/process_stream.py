"""Lambda function behind the event source mapping: applies batches of stream records to the total."""

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

from . import metrics
from .dynamodb import tables
from .dynamodb.client import client, create_in_init_phase
from .dynamodb.retries import RetryBudget
from .total.records import read_batch
from .total.totals import Applied, Total

logger = logging.getLogger(__name__)


class Context(Protocol):
    """The part of Lambda's context object that the function uses."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""
        ...


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Apply one batch. Raises if Lambda has to deliver the batch again.

    The result tells a mapping with ReportBatchItemFailures that no record failed; other mappings ignore it.
    """
    process(event, _total(), RetryBudget(lambda: context.get_remaining_time_in_millis() / 1000))
    return {"batchItemFailures": []}


def process(event: Mapping[str, Any], total: Total, budget: RetryBudget) -> Applied:
    """Apply the records of `event` to `total`, and log one line that does not contain the tags.

    A malformed record is logged at ERROR and skipped: delivering it again would not help, and the tag's next record
    contains the count as well.
    """
    batch = read_batch(event)
    for error in batch.errors:
        logger.error("record skipped: %s", error)
    applied = total.apply(batch.changes, budget)
    facts = {"records": len(event["Records"]), "tags": len(batch.changes), "entries": applied.entries}
    logger.info("batch applied", extra={**facts, "delta": applied.delta, "attempts": applied.attempts})
    metrics.emit(metrics.BATCH_TAGS, len(batch.changes))
    return applied


@cache
def _total() -> Total:
    items = tables.number_of_items(tables.ITEMS_PER_TOTAL)
    return Total(client(), tables.table_name(), tables.ledger_table_name(), items)


create_in_init_phase(client)
