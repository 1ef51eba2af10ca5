"""Events in a world, as data that hypothesis draws, shrinks and prints."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, cycle

from botocore.exceptions import ReadTimeoutError  # type: ignore[import-untyped]
from hypothesis import strategies as st

from functions.dynamodb.tables import item_key
from tests.doubles import cancelled, client_error
from tests.total.world import CrashError, World, interleave

TAGS = ["a", "b", "c", "ä", "COUNTERS"]
FAULTS = ("crash before", "crash after", "lost answer", "fault after", "throttle", "conflict")


@dataclass(frozen=True)
class Visit:
    tag: str
    times: int

    def happen(self, world: World) -> None:
        for _ in range(self.times):
            world.visit(self.tag)


@dataclass(frozen=True)
class Call:
    """A call of the world's method `name`."""

    name: str
    arguments: tuple[str | int, ...] = ()

    def happen(self, world: World) -> None:
        getattr(world, self.name)(*self.arguments)


def delete(tag: str) -> Call:
    return Call("delete", (tag,))


def remove(tag: str) -> Call:
    """Return the step in which an operator deletes a tag, if the total has its visits."""
    return Call("remove", (tag,))


def lose(records: int) -> Call:
    """Return the step in which the next records expire, or are discarded, before they are applied."""
    return Call("lose", (records,))


def spread_total(items: int, running: int) -> Call:
    """Return the step in which the stack is deployed with another number of items of the total."""
    return Call("spread_total", (items, running))


def spread(items: int) -> Call:
    """Return the step in which the stack is deployed with another number of items per tag."""
    return Call("spread", (items,))


RECONCILE = Call("reconcile")
SAVE = Call("save")
EMPTY_LEDGER = Call("empty_ledger")


@dataclass(frozen=True)
class SetCount:
    """Somebody sets the count of a tag by hand; by default only if the item has `Since`."""

    tag: str
    count: int
    identified: bool = True

    def happen(self, world: World) -> None:
        item = world.store.items(world.table).get(self.tag)
        if item and ("Since" in item or not self.identified):
            world.put_count(self.tag, self.count)


@dataclass(frozen=True)
class Create:
    """Another program creates a tag without `Since`."""

    tag: str
    count: int

    def happen(self, world: World) -> None:
        if self.tag not in world.store.items(world.table):
            world.put_count(self.tag, self.count)


@dataclass(frozen=True)
class Undelete:
    """Somebody undoes the last deletion of a tag, by writing the item as it was in a backup of the same life."""

    tag: str

    def happen(self, world: World) -> None:
        own = [record for record in world.stream if record["dynamodb"]["Keys"]["ID"]["S"] == self.tag]
        if self.tag not in world.backup or not own or own[-1]["eventName"] != "REMOVE":
            return
        if own[-1]["dynamodb"]["OldImage"].get("Since", 0) == world.backup[self.tag].get("Since"):
            world.store.put(world.table, world.backup[self.tag])


@dataclass(frozen=True)
class Damage:
    """Something other than a ledger writes or deletes the item that holds the total."""

    how: str
    item: int = 0

    def happen(self, world: World) -> None:
        if self.item:
            self._damage(world, item_key("COUNTER", self.item))
            return
        counter = {"ID": {"S": "COUNTER"}, **world.counter}
        if self.how == "deleted":
            world.store.delete(world.table, "COUNTER")
        elif self.how == "tutorial":
            world.store.put(world.table, {"ID": {"S": "COUNTER"}, "TotalViews": {"N": "7"}})
        elif self.how == "text":
            world.store.put(world.table, counter | {"TotalViews": {"S": "many"}})
        elif self.how == "number":
            world.store.put(world.table, counter | {"TotalViews": {"N": str(world.total + 3)}})
        elif self.how == "older copy" and "COUNTER" in world.backup:
            world.store.put(world.table, world.backup["COUNTER"])

    def _damage(self, world: World, key: str) -> None:
        item = world.store.items(world.table).get(key)
        if item and self.how == "deleted":
            world.store.delete(world.table, key)
        elif item and self.how == "tutorial":
            world.store.put(world.table, {"ID": {"S": key}})
        elif item and self.how == "text":
            world.store.put(world.table, item | {"TotalViews": {"S": "many"}})
        elif item and self.how == "number":
            world.store.put(world.table, item | {"TotalViews": {"N": "99"}})
        elif self.how == "older copy" and key in world.backup:
            world.store.put(world.table, world.backup[key])


@dataclass(frozen=True)
class Batch:
    """`size` records, starting `back` before the first undelivered one; those at `repeated` are in the batch twice."""

    back: int
    size: int
    repeated: tuple[int, ...]
    processor: int

    def job(self, world: World) -> tuple[Callable[[], None], int]:
        """Return a function that delivers the batch, and the number of records delivered once it succeeds."""
        stream = world.stream
        start = max(0, world.done - self.back)
        end = min(len(stream), start + self.size)
        records = [
            record for index, record in enumerate(stream[start:end]) for _ in range(2 if index in self.repeated else 1)
        ]
        warm = world.warm[self.processor % 2] if self.processor < 2 else world.processor()
        return lambda: world.deliver(records, warm), end


@dataclass(frozen=True)
class Deliver:
    """Concurrent batches whose calls interleave in the order of `choices`, with a `fault` in the call number `at`."""

    batches: tuple[Batch, ...]
    choices: tuple[int, ...]
    at: int
    fault: str

    def happen(self, world: World) -> None:
        jobs = [batch.job(world) for batch in self.batches if len(world.stream)]
        inject(world, self.at, self.fault)
        turns = chain(self.choices, cycle(range(len(jobs) or 1)))
        ends = [_run(jobs[0][0])] if len(jobs) == 1 else interleave(world.store, [job for job, _ in jobs], turns)
        stop_faults(world)
        for (_, end), error in zip(jobs, ends, strict=True):
            if error is None:
                world.done = max(world.done, end)
            elif not isinstance(error, CrashError):
                raise error


def inject(world: World, at: int, fault: str) -> None:
    """Make call number `at` to the store fail, counted from now."""
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

    world.store.before, world.store.after = before, after


def stop_faults(world: World) -> None:
    """Let all further calls to the store succeed."""
    inject(world, -1, "")


def _run(job: Callable[[], None]) -> BaseException | None:
    try:
        job()
    except CrashError as crash:
        return crash
    return None


tags = st.sampled_from(TAGS)
visits = st.builds(Visit, tags, st.integers(1, 4))
batches = st.builds(
    Batch, st.integers(0, 12), st.integers(1, 8), st.lists(st.integers(0, 7), max_size=3).map(tuple), st.integers(0, 2)
)
deliveries = st.builds(
    Deliver,
    st.lists(batches, min_size=1, max_size=3).map(tuple),
    st.lists(st.integers(0, 2), max_size=12).map(tuple),
    st.integers(0, 9),
    st.sampled_from(FAULTS),
)
deletions = st.builds(delete, tags)
removals = st.builds(remove, tags)
losses = st.builds(lose, st.integers(1, 5))
edits = st.builds(SetCount, tags, st.integers(0, 6))
any_edits = st.builds(SetCount, tags, st.integers(0, 6), st.just(value=False))
creations = st.builds(Create, tags, st.integers(0, 6))
backups = st.one_of(st.just(SAVE), st.builds(Undelete, tags))
visible_damages = st.builds(Damage, st.sampled_from(["deleted", "tutorial", "text", "number"]), st.integers(0, 3))
damages = st.one_of(visible_damages, st.builds(Damage, st.just("older copy"), st.integers(0, 2)))
reconciliations = st.just(RECONCILE)
spreads = st.one_of(st.builds(spread, st.integers(1, 3)), st.builds(spread_total, st.integers(1, 4), st.integers(0, 2)))

Step = Visit | Call | SetCount | Create | Undelete | Damage | Deliver
