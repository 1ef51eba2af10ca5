"""The functions' code that operators' commands share with Lambda.

Only this module knows where that code is: in a checkout the package `functions`, in an installed distribution a part of
the same package as this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__ == "cli":
    from functions.dynamodb.client import is_transient_cancellation
    from functions.dynamodb.description import TableDescription
    from functions.dynamodb.items import Item, timestamp
    from functions.dynamodb.retries import RetryBudget, UnreadItemsError, read_item, retry_budget
    from functions.dynamodb.spread import MalformedCountError, counts_of, read_spread_singly
    from functions.dynamodb.tables import COUNTER as TOTAL_KEY
    from functions.dynamodb.tables import KEY, MARK, ORIGIN, SPREAD, is_total, item_keys, name_of
    from functions.dynamodb.updates import update_request
    from functions.total.counter import (
        MISSING,
        REBUILD,
        Counter,
        begin_time,
        new_mark,
        read_counter,
        unchanged,
    )
    from functions.total.generation import Image, rebuild_mark
    from functions.total.records import VIEW_TYPE, image_of
    from functions.total.total import Total, TotalNotWrittenError
else:
    from ..functions.dynamodb.client import is_transient_cancellation
    from ..functions.dynamodb.description import TableDescription
    from ..functions.dynamodb.items import Item, timestamp
    from ..functions.dynamodb.retries import RetryBudget, UnreadItemsError, read_item, retry_budget
    from ..functions.dynamodb.spread import MalformedCountError, counts_of, read_spread_singly
    from ..functions.dynamodb.tables import COUNTER as TOTAL_KEY
    from ..functions.dynamodb.tables import KEY, MARK, ORIGIN, SPREAD, is_total, item_keys, name_of
    from ..functions.dynamodb.updates import update_request
    from ..functions.total.counter import (
        MISSING,
        REBUILD,
        Counter,
        begin_time,
        new_mark,
        read_counter,
        unchanged,
    )
    from ..functions.total.generation import Image, rebuild_mark
    from ..functions.total.records import VIEW_TYPE, image_of
    from ..functions.total.total import Total, TotalNotWrittenError

__all__ = [
    "KEY",
    "MARK",
    "MISSING",
    "ORIGIN",
    "REBUILD",
    "SPREAD",
    "TOTAL_KEY",
    "VIEW_TYPE",
    "Counter",
    "Image",
    "Item",
    "MalformedCountError",
    "RetryBudget",
    "TableDescription",
    "Total",
    "TotalNotWrittenError",
    "UnreadItemsError",
    "begin_time",
    "counts_of",
    "image_of",
    "is_total",
    "is_transient_cancellation",
    "item_keys",
    "name_of",
    "new_mark",
    "read_counter",
    "read_item",
    "read_spread_singly",
    "rebuild_mark",
    "retry_budget",
    "timestamp",
    "unchanged",
    "update_request",
]
