"""What may happen to a world, as data that hypothesis draws, shrinks and prints."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, cycle

from botocore.exceptions import ReadTimeoutError  # type: ignore[import-untyped]
from hypothesis import strategies as st

from tests.total.store import refusal
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
class Delete:
    tag: str

    def happen(self, world: World) -> None:
        world.delete(self.tag)


@dataclass(frozen=True)
class Reconcile:
    def happen(self, world: World) -> None:
        world.reconcile()


@dataclass(frozen=True)
class Batch:
    """Records from `back` before the end of what was delivered, `size` of them, some of them `repeated` at once."""

    back: int
    size: int
    repeated: tuple[int, ...]
    processor: int

    def job(self, world: World) -> tuple[Callable[[], None], int]:
        """Return what delivers the batch, and how far the stream has been delivered when it succeeds."""
        start = max(0, world.done - self.back)
        end = min(len(world.store.stream), start + self.size)
        records = [
            record
            for index, record in enumerate(world.store.stream[start:end])
            for _ in range(2 if index in self.repeated else 1)
        ]
        warm = world.warm[self.processor % 2] if self.processor < 2 else world.processor()
        return lambda: world.deliver(records, warm), end


@dataclass(frozen=True)
class Deliver:
    """Several batches at once, their calls taking turns as `choices` has it, and a fault at the call `at`."""

    batches: tuple[Batch, ...]
    choices: tuple[int, ...]
    at: int
    fault: str

    def happen(self, world: World) -> None:
        jobs = [batch.job(world) for batch in self.batches if len(world.store.stream)]
        inject(world, self.at, self.fault)
        turns = chain(self.choices, cycle(range(len(jobs) or 1)))
        ends = [_run(jobs[0][0])] if len(jobs) == 1 else interleave(world.store, [job for job, _ in jobs], turns)
        inject(world, -1, "")
        for (_, end), error in zip(jobs, ends, strict=True):
            if error is None:
                world.done = max(world.done, end)
            elif not isinstance(error, CrashError):
                raise error


def inject(world: World, at: int, fault: str) -> None:
    """Let the `at`th call to the store from now on fail."""
    calls = {"before": -1, "after": -1}

    def before(call: str) -> None:
        calls["before"] += 1
        if calls["before"] == at and fault == "crash before":
            raise CrashError
        if calls["before"] == at and fault == "throttle":
            raise refusal("ProvisionedThroughputExceededException", call)
        if calls["before"] == at and fault == "conflict" and call == "transact_write_items":
            reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}]
            raise refusal("TransactionCanceledException", call, CancellationReasons=reasons)

    def after(call: str) -> None:
        calls["after"] += 1
        if calls["after"] == at and fault == "crash after":
            raise CrashError
        if calls["after"] == at and fault == "lost answer":
            raise ReadTimeoutError(endpoint_url="memory")
        if calls["after"] == at and fault == "fault after":
            raise refusal("InternalServerError", call)

    world.store.before, world.store.after = before, after


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
deletions = st.builds(Delete, tags)
reconciliations = st.builds(Reconcile)
