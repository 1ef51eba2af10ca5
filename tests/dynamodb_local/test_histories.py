"""The random histories of tests/total on AWS's own engine, which confirms the assumptions of the store in memory.

`HISTORIES=N` runs N times as many as CI does in its suite.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from hypothesis import example, given, settings

from tests.dynamodb_local.engine import Engine, StreamReader
from tests.share import times
from tests.total.steps import (
    SAVE,
    Damage,
    Step,
    Visit,
    backups,
    damages,
    delete,
    deletions,
    edits,
    lose,
    losses,
    reconciliations,
)
from tests.total.test_total import check, histories, once, run
from tests.total.world import World


class EngineStore:
    """The engine with the interface of tests/total/store.py."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._client = engine.client
        self._readers: dict[str, StreamReader] = {}
        self._read: dict[str, list[dict[str, Any]]] = {}
        self.before: Callable[[str], None] = lambda call: None
        self.after: Callable[[str], None] = lambda call: None
        self.committed: Callable[[list[Any]], None] = lambda updates: None

    def create(self, name: str, *, streamed: bool) -> None:
        self._engine.create_table(name, "NEW_AND_OLD_IMAGES" if streamed else None)
        if streamed:
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
            if name in ("update_item", "transact_write_items"):
                self._read.clear()
            answer = getattr(self._client, name)(**request)
            if name == "transact_write_items":
                self.committed([each for action in request["TransactItems"] for each in action.values()])
            self.after(name)
            return answer

        return call


def world_on(engine: Engine, *, old_images: bool = True) -> World:
    engine.renew()
    return World(EngineStore(engine), old_images=old_images, prefix=f"{uuid.uuid4().hex[:8]}-")


@settings(max_examples=times(24))
@example([Visit("a", 10), once(10), delete("a"), lose(1), Visit("a", 6)])
@example([Visit("a", 2), once(2), SAVE, Visit("a", 2), once(2), Damage("older copy"), Visit("a", 1)])
@given(histories(deletions, losses, edits, backups, damages, reconciliations, max_steps=10))
def test_the_total_is_every_visit_that_can_be_known(shared_engine: Engine, steps: list[Step]) -> None:
    check(run(world_on(shared_engine), steps))


@settings(max_examples=times(6))
@given(histories(deletions, losses, edits, reconciliations, max_steps=8))
def test_without_old_images_the_total_matches_the_records(shared_engine: Engine, steps: list[Step]) -> None:
    world = run(world_on(shared_engine, old_images=False), steps)
    assert world.settle().behind == 0
    assert world.total == world.oracle.total <= world.visits


@settings(max_examples=times(6))
@given(histories(deletions, max_steps=5), histories(deletions, losses, edits, reconciliations, max_steps=6))
def test_the_total_of_a_restored_table_is_that_of_its_tags(
    shared_engine: Engine, before: list[Step], after: list[Step]
) -> None:
    world = run(world_on(shared_engine), before)
    world.save()
    world.restore(f"{world.table}-restored")
    check(run(world, after))


@settings(max_examples=times(6))
@given(histories(deletions, max_steps=5), histories(deletions, losses, edits, reconciliations, max_steps=6))
def test_an_emptied_ledger_is_filled_again(shared_engine: Engine, before: list[Step], after: list[Step]) -> None:
    world = run(world_on(shared_engine), before)
    world.empty_ledger()
    run(world, after)
    assert world.settle().behind == 0
    assert world.total == world.oracle.total <= world.visits
