"""Events in a world, as data that hypothesis draws, shrinks and prints."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, cycle
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError  # type: ignore[import-untyped]

from functions.dynamodb.spread import MalformedCountError
from functions.http.problems import ProblemError
from tests.doubles import cancelled, client_error
from tests.total.oracle import count_of
from tests.total.store import Item
from tests.total.world import CrashError, World

TAGS = ["a", "b", "c", "ä", "COUNTERS"]
FAULTS = ("crash before", "crash after", "lost answer", "fault after", "throttle", "conflict")


@dataclass(frozen=True)
class Visit:
    tag: str
    times: int = 1
    process: int = 0

    def happen(self, world: World) -> None:
        for each in range(self.times):
            with contextlib.suppress(MalformedCountError):
                world.visit(self.tag, self.process + each)


@dataclass(frozen=True)
class Call:
    """A call of the world's method `name`."""

    name: str
    arguments: tuple[str | int, ...] = ()

    def happen(self, world: World) -> None:
        getattr(world, self.name)(*self.arguments)


def delete(tag: str) -> Call:
    return Call("delete", (tag,))


def wait(minutes: int) -> Call:
    return Call("wait", (minutes,))


SAVE, BEGIN, FINISH, AGAIN, DRAIN = map(Call, ("save", "begin", "finish", "again", "drain"))
MARK, RECONCILE = Call("mark", (99,)), Call("reconcile")


@dataclass(frozen=True)
class Put:
    """Another program writes a whole item of a tag, with those attributes of the living one that are `kept`."""

    tag: str
    count: int
    kept: tuple[str, ...] = ("Since", "Reconciled", "Spread")

    def happen(self, world: World) -> None:
        old = world.store.items(world.table).get(self.tag, {})
        kept = {name: old[name] for name in self.kept if name in old}
        world.store.put(world.table, {"ID": {"S": self.tag}, "Count": {"N": str(self.count)}, **kept})


@dataclass(frozen=True)
class PutBack:
    """Somebody writes the item of a tag as it was in the backup."""

    tag: str

    def happen(self, world: World) -> None:
        if self.tag in world.backup:
            world.store.put(world.table, world.backup[self.tag])


@dataclass(frozen=True)
class Malform:
    """Another program writes something as a count, which is mended if it is malformed already."""

    tag: str
    count: tuple[str, str]
    mended: int

    def happen(self, world: World) -> None:
        item = world.store.items(world.table).get(self.tag)
        if item is not None:
            count = {"N": str(self.mended)} if count_of(item) is None else dict([self.count])
            world.store.put(world.table, {**item, "Count": count})


@dataclass(frozen=True)
class Damage:
    """Something that is no processor writes or deletes the item that holds the total.

    An older copy is one of the same generation: a copy from before a rebuild cannot be told from the present item.
    """

    how: str

    def happen(self, world: World) -> None:
        counter: Item = {"ID": {"S": "COUNTER"}, **world.counter}
        delivered = world.delivered
        if self.how == "deleted":
            world.store.delete(world.table, "COUNTER")
            world.oracle.lose_counter(delivered)
        elif self.how == "tutorial":
            world.store.put(world.table, {"ID": {"S": "COUNTER"}, "TotalViews": {"N": "7"}})
            world.oracle.lose_counter(delivered)
        elif self.how == "text":
            world.store.put(world.table, counter | {"TotalViews": {"S": "many"}})
        elif self.how == "number":
            world.store.put(world.table, counter | {"TotalViews": {"N": str(world.total + 3)}})
        elif counter.get("Generation", 0) == world.backup.get("COUNTER", {}).get("Generation"):
            world.store.put(world.table, world.backup["COUNTER"])
            world.oracle.restore_counter(delivered)


@dataclass(frozen=True)
class Lose:
    """Records that are next in a line of shards expire, or are discarded, before they are applied."""

    line: int
    records: int

    def happen(self, world: World) -> None:
        world.lose(next_shard(world, self.line), self.records)


@dataclass(frozen=True)
class Deliver:
    """Deliver `size` records of a line of shards, starting `back` before the first undelivered one.

    Those at `repeated` are in the batch twice. Processor 2 has just started.
    """

    size: int
    line: int = 0
    back: int = 0
    repeated: tuple[int, ...] = ()
    processor: int = 0

    def happen(self, world: World) -> None:
        shard = next_shard(world, self.line)
        if self.back > shard.done and shard.parent is not None:
            shard = shard.parent
        start = max(0, shard.done - self.back)
        end = min(len(shard.records), start + self.size)
        warm = world.warm[self.processor] if self.processor < 2 else world.processor()
        world.deliver(shard, start, end, warm, self.repeated)


def next_shard(world: World, line: int) -> Any:
    """Return the shard of a line whose records are next."""
    shards = world.stream.lines[line % world.lines]
    return next((shard for shard in shards if shard.done < len(shard.records)), shards[-1])


@dataclass(frozen=True)
class Together:
    """Concurrent steps whose calls interleave in the order of `choices`, with a `fault` in the call number `at`."""

    steps: tuple["Step", ...]
    choices: tuple[int, ...] = ()
    at: int = 99
    fault: str = "throttle"

    def happen(self, world: World) -> None:
        jobs = [lambda step=step: step.happen(world) for step in self.steps]
        inject(world.store, self.at, self.fault)
        for error in interleave(world.store, jobs, chain(self.choices, cycle(range(len(jobs))))):
            # A command that DynamoDB refuses has failed; a request is answered with a problem.
            if error and not isinstance(error, CrashError | ProblemError | ClientError | ReadTimeoutError):
                raise error
        inject(world.store, -1, "")


def inject(store: Any, at: int, fault: str) -> None:
    """Make call number `at` to the store fail, counted from now; none if it is negative."""
    calls = {"before": -1, "after": -1}

    def before(call: str) -> None:
        calls["before"] += 1
        if calls["before"] == at and fault == "crash before":
            raise CrashError
        if calls["before"] == at and fault == "throttle":
            raise client_error("ProvisionedThroughputExceededException", call)
        if calls["before"] == at and fault == "conflict" and call == "transact_write_items":
            raise cancelled("None", "TransactionConflict")

    def after(call: str) -> None:
        calls["after"] += 1
        if calls["after"] == at and fault == "crash after":
            raise CrashError
        if calls["after"] == at and fault == "lost answer":
            raise ReadTimeoutError(endpoint_url="memory")
        if calls["after"] == at and fault == "fault after":
            raise client_error("InternalServerError", call)

    store.before, store.after = before, after


def interleave(store: Any, jobs: Sequence[Callable[[], Any]], choices: Iterator[int]) -> list[BaseException | None]:
    """Run `jobs` concurrently, with one call to the store at a time, in the order that `choices` picks.

    Returns the error that ended each job, or None. The same choices give the same run.
    """
    if len(jobs) == 1:
        return [_run(jobs[0])]
    turns = [threading.Semaphore(0) for _ in jobs]
    control = threading.Semaphore(0)
    ends: list[BaseException | None] = [None for _ in jobs]
    running = set(range(len(jobs)))
    thread = threading.local()

    def work(index: int) -> None:
        thread.index = index
        turns[index].acquire()
        ends[index] = _run(jobs[index])
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


def _run(job: Callable[[], Any]) -> BaseException | None:
    try:
        job()
    except BaseException as error:  # noqa: BLE001 - crashes included
        return error
    return None


Step = Visit | Call | Put | PutBack | Malform | Damage | Lose | Deliver | Together
