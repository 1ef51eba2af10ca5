"""The random histories of tests/total on AWS's own engine, which confirms the assumptions of the store in memory.

`HISTORIES=N` runs N times as many as CI does in its suite.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given, settings

from tests.dynamodb_local.engine import Engine, StreamReader
from tests.share import times
from tests.total.histories import (
    backups,
    check,
    damages,
    deletions,
    edits,
    histories,
    losses,
    malformed,
    older_copies,
    rebuilds,
    reconciliations,
    rolls,
    run,
    settle,
    visits,
    writes,
)
from tests.total.steps import BEGIN, DRAIN, MARK, SAVE, Damage, Deliver, Lose, Step, Visit, delete
from tests.total.world import World

WRITES = ("update_item", "delete_item", "transact_write_items")


class EngineStore:
    """The engine with the interface of tests/total/store.py. Its clock is that of the history."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._client = engine.client
        self._readers: dict[str, StreamReader] = {}
        self._read: dict[str, list[dict[str, Any]]] = {}
        self.described: dict[str, dict[str, Any]] = {}
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.before: Callable[[str], None] = lambda call: None
        self.after: Callable[[str], None] = lambda call: None

    def create(self, name: str) -> None:
        self._engine.create_table(name)
        self._readers[name] = StreamReader(self._engine, name)

    def put(self, table: str, item: dict[str, Any]) -> None:
        self._read.clear()
        self._client.put_item(TableName=table, Item=item)

    def delete(self, table: str, key: str) -> None:
        self._read.clear()
        self._client.delete_item(TableName=table, Key={"ID": {"S": key}})

    def items(self, table: str) -> dict[str, dict[str, Any]]:
        found = self._client.scan(TableName=table, ConsistentRead=True)["Items"]
        return {item["ID"]["S"]: item for item in found}

    def records(self, table: str) -> list[dict[str, Any]]:
        if table not in self._read:
            self._read[table] = self._readers[table].read()
        return self._read[table]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            self.before(name)
            if name in WRITES:
                self._read.clear()
            answer = getattr(self._client, name)(**request)
            if name == "describe_table":
                answer["Table"] |= self.described.get(request["TableName"], {})
            answer["ResponseMetadata"]["HTTPHeaders"]["date"] = f"{self.clock():%a, %d %b %Y %H:%M:%S GMT}"
            self.after(name)
            return answer

        return call


def world_on(engine: Engine, lines: int = 2) -> World:
    engine.renew()
    return World(lines, store=EngineStore(engine), prefix=f"{uuid.uuid4().hex[:8]}-")


@settings(max_examples=times(24))
@example([Visit("a", 5), delete("a"), Visit("a", 3), Deliver(6), BEGIN, MARK])
@given(histories(deletions, writes, backups, rolls, rebuilds, max_steps=10, concurrent=(rebuilds, visits)))
def test_total_on_engine(shared_engine: Engine, steps: list[Step]) -> None:
    world = run(world_on(shared_engine, lines=3), steps)
    settle(world)
    check(world)


@settings(max_examples=times(6))
@example([Visit("a", 10), DRAIN, delete("a"), Lose(0, 1), Visit("a", 6)])
@given(histories(deletions, edits, losses, rebuilds, max_steps=8))
def test_lost_records_on_engine(shared_engine: Engine, steps: list[Step]) -> None:
    check(run(world_on(shared_engine), steps))


@settings(max_examples=times(6))
@example([Visit("a", 2), DRAIN, SAVE, Visit("a", 2), DRAIN, Damage("older copy"), Visit("a", 1)])
@given(histories(deletions, damages, older_copies, rolls, max_steps=8))
def test_damaged_counter_on_engine(shared_engine: Engine, steps: list[Step]) -> None:
    world = run(world_on(shared_engine), steps)
    world.visit("a")
    world.drain()
    check(world)


@settings(max_examples=times(6))
@given(histories(deletions, max_steps=5), histories(deletions, edits, losses, reconciliations, max_steps=6))
def test_restored_table_on_engine(shared_engine: Engine, before: list[Step], after: list[Step]) -> None:
    world = run(world_on(shared_engine), before)
    world.save()
    world.restore(f"{world.table}-restored")
    run(world, after)
    world.visit("a")
    check(world)


@settings(max_examples=times(6))
@given(histories(deletions, malformed, max_steps=8))
def test_malformed_counts_on_engine(shared_engine: Engine, steps: list[Step]) -> None:
    world = run(world_on(shared_engine), steps)
    settle(world)
    for key in world.malformed:
        world.store.delete(world.table, key)
    check(world)
