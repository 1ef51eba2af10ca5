"""A table, its stream and its processors, small enough to run thousands of times."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Protocol

from cli.operate import table as operated
from cli.operate.comparison import Findings, compare
from cli.operate.deletion import delete_tag
from cli.operate.rebuild import Progress, Rebuild
from functions.counting import visits
from functions.counting.visits import OtherItems, read_count, record
from functions.dynamodb.items import format_time
from functions.dynamodb.retries import RetryBudget
from functions.dynamodb.spread import MalformedCountError
from functions.dynamodb.tables import COUNTER, MARK, ORIGIN
from functions.process_stream import process
from functions.total.total import Total
from functions.view_counts import view_total
from tests.total.oracle import Oracle, count_of
from tests.total.shards import Shard, Stream
from tests.total.store import Item, Store, copied

TABLE = "visits"
SKEWS = [timedelta(0), timedelta(minutes=2), timedelta(minutes=-2)]
"""How far the clocks of processes are off."""

operated.PAGE_ITEMS = 2


def ample_budget() -> RetryBudget:
    """Return a budget of so many pauses that only an endless loop uses it up."""
    left = iter(range(200, -1, -1))
    return RetryBudget(remaining=lambda: float(next(left)), sleep=lambda seconds: None, jitter=lambda: 0.5)


class CrashError(BaseException):
    """The crash of a process. The functions must not catch it."""


class Backend(Protocol):
    """The DynamoDB of a world: the store in memory, or AWS's own engine."""

    before: Callable[[str], None]
    after: Callable[[str], None]
    clock: Callable[[], datetime]
    described: dict[str, dict[str, Any]]

    def create(self, name: str) -> None: ...
    def put(self, table: str, item: Item) -> None: ...
    def delete(self, table: str, key: str) -> None: ...
    def items(self, table: str) -> Mapping[str, Item]: ...
    def records(self, table: str) -> Sequence[dict[str, Any]]: ...


class Processing:
    """The client of a processor, with the rights that the component grants it and no others."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            updates = [each["Update"] for each in request.get("TransactItems", ())] or [request]
            for update in updates if name != "describe_table" else ():
                if update["Key"]["ID"]["S"] not in (COUNTER, ORIGIN):
                    named = set(update["ExpressionAttributeNames"].values())
                    assert name == "update_item", f"{name} of {update}"
                    assert named <= {"ID", MARK}, f"no right to {named}"
                    assert not {"ReturnValues", "ReturnValuesOnConditionCheckFailure"} & set(update)
            return getattr(self._store, name)(**request)

        return call


class Watched(Total):
    """A total that fails if records are taken for late ones, which they never are in a history."""

    def flag(self, budget: RetryBudget) -> None:
        raise AssertionError("records were taken for late ones")


class World:
    """A table: visits and other writes change it, and deliveries of its stream change the total."""

    def __init__(self, lines: int = 1, *, store: Backend | None = None, prefix: str = "") -> None:
        self.now = datetime.now(UTC)
        self.store: Any = store or Store()
        self.store.clock = lambda: self.now
        self.table, self.lines, self.items = prefix + TABLE, lines, 1
        self.oracle = Oracle()
        self.backup: dict[str, Item] = {}
        self.progress: Progress | None = None
        self.is_marked = False
        self.create(self.table)

    def create(self, name: str, items: Sequence[Item] = (), **described: Any) -> None:
        """Continue with a new table that already has `items`, whose records are in no stream."""
        self.store.create(name)
        self.store.described[name] = described
        for item in items:
            self.store.put(name, copied(item))
        self.table, self._stream, self.progress = name, Stream(self.lines), None
        self._stream.dealt = len(self.store.records(name))
        self.oracle.adopt(items, self._stream.dealt)
        self.warm = [self.processor(0), self.processor(1)]

    def processor(self, skew: int = 2, kind: type[Total] = Watched) -> Total:
        """Return a processor that has just started."""
        return kind(Processing(self.store), self.table, lambda: self.now + SKEWS[skew])

    @property
    def stream(self) -> Stream:
        """The stream, with all records so far."""
        records = self.store.records(self.table)
        self._stream.deal(records)
        self.oracle.observe(records)
        return self._stream

    @property
    def delivered(self) -> list[dict[str, Any]]:
        """All records that were delivered."""
        return [each for shard in self.stream.shards for each in shard.records[: shard.done]]

    def spread(self, items: int) -> None:
        """Deploy another number of items per tag."""
        self.items = items

    @property
    def malformed(self) -> list[str]:
        """The keys of items with a malformed count."""
        return [key for key, item in self.store.items(self.table).items() if count_of(item) is None]

    def roll(self, line: int) -> None:
        """Close the open shard of a line."""
        self.stream.roll(line)

    def wait(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)

    def visit(self, tag: str, process: int = 0) -> int:
        """Record a visit in a process with another clock."""
        now = self.now + SKEWS[process % len(SKEWS)]
        visits.format_time = lambda at: format_time(now)  # type: ignore[attr-defined]
        try:
            return record(self.store, self.table, tag, ample_budget(), self.items, others=OtherItems()).count
        finally:
            visits.format_time = format_time  # type: ignore[attr-defined]

    def read(self, tag: str) -> int:
        return read_count(self.store, self.table, tag, ample_budget(), self.items)

    def delete(self, tag: str) -> None:
        """Delete a tag as an operator does."""
        with contextlib.suppress(MalformedCountError):
            delete_tag(operated.CounterTable(self.store, self.table), tag, ample_budget())

    def deliver(self, shard: Shard, start: int, end: int, total: Total, repeated: Sequence[int] = ()) -> None:
        """Deliver records `start` to `end` of a shard, those at `repeated` twice."""
        records = [each for at, each in enumerate(shard.records[start:end]) for _ in range(2 if at in repeated else 1)]
        if not records:
            return
        event = {
            "Records": copied(records),
            "shardId": shard.id,
            "eventSourceARN": records[0]["eventSourceARN"],
            "state": copied(shard.state),
            "window": {"start": "2026-05-01T00:00:00Z", "end": "2026-05-01T00:15:00Z"},
            "isFinalInvokeForWindow": False,
            "isWindowTerminatedEarly": False,
        }
        answer = process(event, total, ample_budget())
        if end > shard.done:
            shard.done, shard.state = end, answer["state"]

    def drain(self, size: int = 7) -> None:
        """Deliver the rest of the stream, including the records that this adds."""
        busy = True
        while busy:
            busy = False
            for shard in self.stream.shards:
                if shard.is_ready and shard.done < len(shard.records):
                    self.deliver(shard, shard.done, min(shard.done + size, len(shard.records)), self.warm[0])
                    busy = True

    def lose(self, shard: Shard, records: int) -> None:
        """Let the next records expire, or be discarded, before they are applied."""
        end = shard.done + records
        self.oracle.lose(shard.records[shard.done : end])
        del shard.records[shard.done : end]

    def save(self) -> None:
        """Make a backup of the table."""
        self.backup = copied(dict(self.store.items(self.table)))
        self.oracle.save(self.delivered)

    def adopt(self, items: Sequence[Item]) -> None:
        """Continue with a table that has been in use for years."""
        self.oracle = Oracle()
        self.create("adopted", items, CreationDateTime=datetime(2020, 1, 1, tzinfo=UTC))

    def restore(self, name: str) -> None:
        """Restore the backup as another table, and continue with it. Its stream is enabled afterwards."""
        self.oracle.restore()
        label = f"{self.now + timedelta(minutes=10):%Y-%m-%dT%H:%M:%S.000}"
        self.create(name, list(self.backup.values()), LatestStreamLabel=label)

    @property
    def rebuild(self) -> Rebuild:
        """A rebuild in a process that has just started."""
        return Rebuild(operated.CounterTable(self.store, self.table))

    def begin(self) -> None:
        self.progress, self.is_marked = self.rebuild.begin(ample_budget()), False

    def mark(self, pages: int) -> None:
        """Mark the next pages, going on from the last one that was finished."""
        if self.progress is None or self.is_marked:
            return
        for progress in islice(self.rebuild.mark_items(self.progress), pages):
            self.progress, self.is_marked = progress, not progress.after

    def finish(self, *, keep: bool = False) -> bool:
        """Finish the rebuild if that is possible, whether or not all marks have come through."""
        progress = self.progress if self.is_marked else None
        return progress is not None and self.rebuild.finish(progress, keep=keep) is not None

    def again(self) -> None:
        """Make a further pass, once all marks have come through."""
        if self.is_marked and self.progress and self.rebuild.missing(self.progress) == 0:
            self.progress, self.is_marked = self.rebuild.again(self.progress), False

    def reconcile(self) -> None:
        """Rebuild the total as an operator does, while the stream is delivered."""
        self.begin()
        for _ in range(3):
            self.mark(99)
            self.drain()
            if self.finish(keep=True):
                return
            if self.progress and self.rebuild.missing(self.progress) is None:
                # A processor has found out that `COUNTER` is damaged, and started a generation.
                self.begin()
            else:
                self.again()
        raise AssertionError("the rebuild did not finish")

    def compare(self) -> Findings:
        *_, found = compare(operated.CounterTable(self.store, self.table))
        return found

    @property
    def counter(self) -> Item:
        return dict(self.store.items(self.table).get("COUNTER", {}))

    @property
    def shown(self) -> dict[str, Any]:
        """The total as the API shows it."""
        return view_total(self.store, self.table, ample_budget())

    @property
    def total(self) -> int:
        return int(self.shown["total"])
