"""A table, its stream and its processors, small enough to run thousands of times."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from functions.counting.visits import OtherItems, read_count, record
from functions.dynamodb.retries import RetryBudget
from functions.dynamodb.tables import is_total, name_of
from functions.process_stream import process
from functions.total.deletion import TagDeletion
from functions.total.reconciliation import Progress, Reconciliation
from functions.total.totals import Total
from functions.view_counts import view_total
from tests.total.oracle import Oracle, count_of
from tests.total.store import Item, Store, copied

TABLE, LEDGER = "visits", "visits-ledger"


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
    committed: Callable[[list[Item]], None]

    def create(self, name: str, *, streamed: bool) -> None: ...
    def put(self, table: str, item: Item) -> None: ...
    def delete(self, table: str, key: str) -> None: ...
    def items(self, table: str) -> Mapping[str, Item]: ...
    def records(self, table: str) -> Sequence[dict[str, Any]]: ...
    def get_item(self, **request: Any) -> dict[str, Any]: ...
    def batch_get_item(self, **request: Any) -> dict[str, Any]: ...
    def update_item(self, **request: Any) -> dict[str, Any]: ...
    def delete_item(self, **request: Any) -> dict[str, Any]: ...
    def transact_write_items(self, **request: Any) -> dict[str, Any]: ...
    def scan(self, **request: Any) -> dict[str, Any]: ...
    def describe_table(self, **request: Any) -> dict[str, Any]: ...


class World:
    """A table and its ledger: visits and edits change the table, and deliveries of its stream update the total."""

    def __init__(self, store: Backend | None = None, *, old_images: bool = True, prefix: str = "") -> None:
        self.table, self.ledger = prefix + TABLE, prefix + LEDGER
        self.store: Any = store or Store()
        self.store.create(self.table, streamed=True)
        self.store.create(self.ledger, streamed=False)
        self.old_images = old_images
        self.oracle = Oracle(old_images=old_images)
        self.visits = 0
        self.items, self.total_items, self.has_spread = 1, 1, False
        self.done = 0
        self.lost = 0
        self.warm = [self.processor(), self.processor()]
        self.backup: dict[str, Item] = {}
        self._delivering = threading.local()
        self.watch()

    def watch(self) -> None:
        """Report commits to this world's oracle from now on."""
        self.store.committed = self._committed

    def processor(self) -> Total:
        """Return a processor that has just started."""
        return Total(self.store, self.table, self.ledger, self.total_items)

    @property
    def stream(self) -> Sequence[dict[str, Any]]:
        return self.store.records(self.table)  # type: ignore[no-any-return]

    def visit(self, tag: str) -> int:
        self.visits += 1
        count = record(self.store, self.table, tag, ample_budget(), self.items, others=OtherItems()).count
        if self.has_spread:
            assert count == read_count(self.store, self.table, tag, ample_budget(), self.items) == self.counts[tag]
        return count

    def spread(self, items: int) -> None:
        """Deploy another number of items per tag."""
        self.items, self.has_spread = items, True

    def spread_total(self, items: int, running: int = 0) -> None:
        """Deploy another number of items of the total; the first `running` processors go on with the old code."""
        self.total_items = items
        self.warm[running:] = [self.processor() for _ in self.warm[running:]]

    def delete(self, tag: str) -> None:
        for key in [key for key in self.store.items(self.table) if name_of(key) == tag]:
            self.store.delete(self.table, key)

    def remove(self, tag: str) -> None:
        """Delete a tag as an operator does: once the total has its visits."""
        self._delivering.records = ()
        TagDeletion(self.store, self.table, self.ledger).attempt(tag, mark=True)

    def put_count(self, tag: str, count: int) -> None:
        """Set the count of a tag by hand."""
        item = dict(self.store.items(self.table).get(tag, {"ID": {"S": tag}}))
        self.visits += max(0, count - count_of(item))
        self.store.put(self.table, item | {"Count": {"N": str(count)}})

    def deliver(self, records: Sequence[dict[str, Any]], total: Total) -> None:
        self._delivering.records = records
        shown = copied(list(records))
        for each in shown:
            if not self.old_images:
                each["dynamodb"].pop("OldImage", None)
        process({"Records": shown}, total, ample_budget())

    def _committed(self, updates: list[Item]) -> None:
        delivered = {each["dynamodb"]["SequenceNumber"] for each in getattr(self._delivering, "records", ())}
        truth = self.stream if delivered else ()
        for update in updates:
            values = update.get("ExpressionAttributeValues", {})
            if update["TableName"] == self.ledger and ":Sequence" in values:
                self.oracle.observe(update["Key"]["ID"]["S"], truth, delivered, values[":Sequence"]["S"])

    def drain(self, size: int = 7) -> None:
        """Deliver the rest of the stream, including the records that this adds."""
        while self.done < len(stream := self.stream):
            batch = stream[self.done : self.done + size]
            self.deliver(batch, self.warm[0])
            self.done += len(batch)

    def lose(self, records: int) -> None:
        """Let the next records expire before they are delivered."""
        end = min(len(self.stream), self.done + records)
        self.lost += end - self.done
        self.done = end

    def reconcile(self) -> Progress:
        self._delivering.records = ()
        *_, last = Reconciliation(self.store, self.table, self.ledger).run(ample_budget())
        return last

    def take_over(self) -> None:
        Reconciliation(self.store, self.table, self.ledger).take_over(ample_budget())

    def empty_ledger(self) -> None:
        for key in list(self.store.items(self.ledger)):
            self.store.delete(self.ledger, key)
        self.oracle.forget_ledger()

    def save(self) -> None:
        """Make a backup of the table."""
        self.backup = copied(dict(self.store.items(self.table)))

    def restore(self, name: str) -> None:
        """Restore the backup as another table, and continue with it and the same ledger."""
        self.store.create(name, streamed=True)
        self.adopt(name, self.backup)

    def adopt(self, name: str, items: Mapping[str, Item]) -> None:
        """Continue with another table that already has these items, and the same ledger."""
        for item in items.values():
            self.store.put(name, copied(item))
        self.table = name
        self.done = len(self.stream)
        self.oracle = Oracle(old_images=self.old_images)
        self.warm = [self.processor(), self.processor()]
        self.visits = sum(self.counts.values())

    def settle(self) -> Progress:
        """Deliver the rest and reconcile until no tag is behind; return the progress of the last pass."""
        self.drain()
        for _ in range(3):
            progress = self.reconcile()
            self.drain()
            if not progress.behind:
                break
        return self.reconcile()

    @property
    def counter(self) -> Item:
        return dict(self.store.items(self.table).get("COUNTER", {}))

    @property
    def total(self) -> int:
        return int(self.shown["total"])

    @property
    def shown(self) -> dict[str, Any]:
        """The total as the API shows it."""
        return view_total(self.store, self.table, ample_budget())

    @property
    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for key, item in self.store.items(self.table).items():
            if not is_total(key) and "Count" in item:
                counts[name_of(key)] = counts.get(name_of(key), 0) + int(item["Count"]["N"])
        return counts


def interleave(store: Any, jobs: Sequence[Callable[[], None]], choices: Iterator[int]) -> list[BaseException | None]:
    """Run `jobs` concurrently, with one call to the store at a time, in the order that `choices` picks.

    Returns the error that ended each job, or None. The same choices give the same run.
    """
    turns = [threading.Semaphore(0) for _ in jobs]
    control = threading.Semaphore(0)
    ends: list[BaseException | None] = [None for _ in jobs]
    running = set(range(len(jobs)))
    thread = threading.local()

    def work(index: int) -> None:
        thread.index = index
        turns[index].acquire()
        try:
            jobs[index]()
        except BaseException as error:  # noqa: BLE001 - crashes included
            ends[index] = error
        running.discard(index)
        control.release()

    before = store.before

    def yield_turn(call: str) -> None:
        control.release()
        turns[thread.index].acquire()
        before(call)

    store.before = yield_turn
    threads = [threading.Thread(target=work, args=(index,), daemon=True) for index in range(len(jobs))]
    for each in threads:
        each.start()
    while running:
        waiting = sorted(running)
        turns[waiting[next(choices) % len(waiting)]].release()
        control.acquire()
    for each in threads:
        each.join()
    store.before = before
    return ends
