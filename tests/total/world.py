"""A table, its stream and its processors, small enough to be run a thousand ways."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from functions.process_stream import process
from functions.reconcile import Progress, reconcile
from functions.retry import Patience
from functions.totals import Total
from functions.visits import record
from tests.total.store import Store

TABLE, LEDGER = "visits", "visits-ledger"


def endless() -> Patience:
    """Patience that ends after so many pauses that only a processor which goes round in circles reaches them."""
    left = iter(range(200, -1, -1))
    return Patience(remaining=lambda: float(next(left)), sleep=lambda seconds: None, jitter=lambda: 0.5)


class CrashError(BaseException):
    """The end of a process, which nothing in it may survive."""


class World:
    """Visits and deletions on one side, deliveries of the stream on the other."""

    def __init__(self) -> None:
        self.store = Store(TABLE, LEDGER, streamed=TABLE)
        self.visits = 0
        self.done = 0
        self.warm = [self.processor(), self.processor()]

    def processor(self) -> Total:
        """Return a processor that has just started and remembers nothing."""
        return Total(self.store, TABLE, LEDGER)

    def visit(self, tag: str) -> int:
        self.visits += 1
        return record(self.store, TABLE, tag, endless()).count

    def delete(self, tag: str) -> None:
        self.store.delete(TABLE, tag)

    def deliver(self, records: Sequence[dict[str, Any]], total: Total) -> None:
        process({"Records": list(records)}, total, endless())

    def drain(self, size: int = 7) -> None:
        """Deliver the rest of the stream, what the draining itself adds to it included."""
        while self.done < len(self.store.stream):
            batch = self.store.stream[self.done : self.done + size]
            self.deliver(batch, self.warm[0])
            self.done += len(batch)

    def reconcile(self) -> Progress:
        *_, last = reconcile(self.store, TABLE, LEDGER, endless())
        return last

    @property
    def total(self) -> int:
        return int(self.store.tables[TABLE].get("COUNTER", {}).get("TotalViews", {"N": "0"})["N"])

    @property
    def counts(self) -> dict[str, int]:
        items = self.store.tables[TABLE].items()
        return {key: int(item["Count"]["N"]) for key, item in items if key != "COUNTER" and "Count" in item}


def interleave(store: Store, jobs: Sequence[Callable[[], None]], choices: Iterator[int]) -> list[BaseException | None]:
    """Run `jobs` at the same time, one call to the store after the other, in the order that `choices` picks.

    Returns what ended each, None where it came to its end. The same choices give the same run.
    """
    turns = [threading.Semaphore(0) for _ in jobs]
    control = threading.Semaphore(0)
    ends: list[BaseException | None] = [None for _ in jobs]
    running = set(range(len(jobs)))
    mine = threading.local()

    def work(index: int) -> None:
        mine.index = index
        turns[index].acquire()
        try:
            jobs[index]()
        except BaseException as error:  # noqa: BLE001 - a crash too is an end
            ends[index] = error
        running.discard(index)
        control.release()

    before = store.before

    def yield_turn(call: str) -> None:
        control.release()
        turns[mine.index].acquire()
        before(call)

    store.before = yield_turn
    threads = [threading.Thread(target=work, args=(index,), daemon=True) for index in range(len(jobs))]
    for thread in threads:
        thread.start()
    while running:
        waiting = sorted(running)
        turns[waiting[next(choices) % len(waiting)]].release()
        control.acquire()
    for thread in threads:
        thread.join()
    store.before = before
    return ends
