"""A deployment on AWS's own engine: its table and stream, its functions, and the operators' code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import pytest

from cli.operate.comparison import compare
from cli.operate.rebuild import Progress, Rebuild
from cli.operate.table import CounterTable
from functions import process_stream
from functions.dynamodb.retries import retry_budget
from tests.doubles import Context
from tests.dynamodb_local.engine import Engine, StreamReader
from tests.functions.conftest import forget
from tests.functions.events import batch
from tests.functions.gateway import request


@dataclass
class Stack:
    """One deployment: a table with its stream, and the functions that use it."""

    engine: Engine
    monkeypatch: pytest.MonkeyPatch
    table: str
    read: int = 0
    shards: Mapping[str, str] = field(default_factory=dict)

    def deploy(self, table: str | None = None) -> Stack:
        """Deploy the stack, with another table if one is given: the functions start cold."""
        self.table, self.read = table or self.table, 0 if table else self.read
        self.monkeypatch.setenv("TABLE_NAME", self.table)
        forget()
        return self

    def visit(self, tag: str, times: int) -> None:
        for _ in range(times):
            assert request("POST", f"/tag/{tag}").status == 200

    def count(self, tag: str, times: int) -> None:
        """Visit a tag and apply the visits."""
        self.visit(tag, times)
        self.deliver()

    def records(self) -> list[dict[str, Any]]:
        """Return the stream's records since the last call."""
        reader = StreamReader(self.engine, self.table)
        records, self.shards = reader.read(), reader.shards
        new, self.read = records[self.read :], len(records)
        return new

    def process(self, records: list[dict[str, Any]]) -> None:
        """Pass records to the stream processor, in a batch for each shard."""
        for shard, found in groupby(records, lambda record: self.shards[record["dynamodb"]["SequenceNumber"]]):
            process_stream.handler(batch(*found, shard=shard), Context())

    def deliver(self) -> None:
        """Deliver the stream's new records in batches, as the event source mapping does."""
        while records := self.records():
            for first in range(0, len(records), 100):
                self.process(records[first : first + 100])

    def lose(self) -> None:
        """Let the stream's new records expire."""
        self.records()

    def delete(self, key: str) -> None:
        self.engine.client.delete_item(TableName=self.table, Key={"ID": {"S": key}})

    def put(self, item: Mapping[str, Any]) -> None:
        self.engine.client.put_item(TableName=self.table, Item=dict(item))

    def item(self, key: str) -> dict[str, Any]:
        found = self.engine.client.get_item(TableName=self.table, Key={"ID": {"S": key}}, ConsistentRead=True)
        return dict(found.get("Item", {}))

    @property
    def rebuilds(self) -> Rebuild:
        return Rebuild(CounterTable(self.engine.client, self.table))

    def rebuild(self) -> int:
        """Rebuild the total, and compare it with the tags; return how many visits only the total knew of."""
        progress = self.marked()
        self.deliver()
        outcome = self.rebuilds.finish(progress, keep=True)
        if outcome is None:
            # The total is ahead of the tags. A further pass shows that no mark is missing.
            *_, progress = self.rebuilds.mark_items(self.rebuilds.again(progress))
            self.deliver()
            outcome = self.rebuilds.finish(progress, keep=True)
        assert outcome is not None
        assert self.difference() == (0, 0)
        assert not self.flagged
        return outcome.ended

    def marked(self) -> Progress:
        """Begin a rebuild and mark all items."""
        *_, progress = self.rebuilds.mark_items(self.rebuilds.begin(retry_budget(10)))
        return progress

    def difference(self) -> tuple[int, int]:
        """Return how many visits the total lacks, and how many it has that the tags do not show."""
        *_, found = compare(CounterTable(self.engine.client, self.table))
        assert found.within == 0 or found.missing or found.surplus
        return found.missing, found.surplus

    @property
    def total(self) -> int:
        return int(request("GET", "/counts").json["total"])

    @property
    def flagged(self) -> bool:
        return "rebuilding" in request("GET", "/counts").json
