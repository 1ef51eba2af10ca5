"""A key counts one visit and always gets the same answer, whatever fails, repeats or runs concurrently."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, cycle
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions import record_visit
from functions.counting.idempotency import TTL_SECONDS, KeyedVisits
from functions.counting.visits import Recorded, record
from functions.dynamodb.retries import RetryBudget
from functions.http.problems import ProblemError
from tests.doubles import cancelled, client_error
from tests.share import times
from tests.total.steps import FAULTS, inject, interleave
from tests.total.store import Store
from tests.total.world import TABLE, CrashError, ample_budget

KEYS = "visits-idempotency"


@dataclass(frozen=True)
class Burst:
    """Concurrent requests, each a tag and a key ("" for none), and a fault in one of their calls."""

    requests: tuple[tuple[str, str], ...]
    choices: tuple[int, ...]
    at: int
    fault: str


bursts = st.builds(
    Burst,
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["k", "l", "m", ""])), min_size=1, max_size=3).map(tuple),
    st.lists(st.integers(0, 2), max_size=10).map(tuple),
    st.integers(0, 6),
    st.sampled_from(FAULTS),
)


@settings(max_examples=times(300))
@given(st.lists(bursts, max_size=6))
def test_key_counts_one_visit(bursts: list[Burst]) -> None:
    store = Store(TABLE, KEYS)
    answers: dict[str, list[Recorded]] = {}
    unkeyed: list[tuple[str, int]] = []
    owners: dict[str, str] = {}
    refused: list[tuple[int, bool]] = []

    def send(tag: str, key: str) -> None:
        if not key:
            with contextlib.suppress(ProblemError):
                unkeyed.append((tag, record(store, TABLE, tag, ample_budget()).count))
            return
        try:
            recorded = KeyedVisits(store, TABLE, KEYS).record(tag, key, ample_budget(), 0.0)
        except ProblemError as problem:
            refused.append((problem.status, owners[key] != tag))
            return
        assert owners.setdefault(key, tag) == tag
        answers.setdefault(key, []).append(recorded)

    def note_owners(call: str) -> None:
        for key, item in store.tables[KEYS].items():
            owners.setdefault(key, item["Tag"]["S"])

    for burst in bursts:
        inject(store, burst.at, burst.fault)
        _also_after(store, note_owners)
        jobs = [lambda tag=tag, key=key: send(tag, key) for tag, key in burst.requests]
        for end in interleave(store, jobs, chain(burst.choices, cycle(range(3)))):
            if end is not None and not isinstance(end, CrashError):
                raise end
    inject(store, -1, "")
    assert set(refused) <= {(422, True)}
    stored = store.tables[KEYS]
    counts = {tag: int(item["Count"]["N"]) for tag, item in store.tables[TABLE].items()}
    keyed = {tag: sum(owner == tag for owner in owners.values()) for tag in "ab"}
    assert len(owners) == len(stored)
    numbers = {
        tag: [int(item["Count"]["N"]) for item in stored.values() if item["Tag"]["S"] == tag]
        + [number for visited, number in unkeyed if visited == tag]
        for tag in "ab"
    }
    for of_key in answers.values():
        assert len({answer.count for answer in of_key}) == 1
        assert sum(not answer.replayed for answer in of_key) <= 1
    for tag, made in numbers.items():
        assert len(made) == len(set(made)), "two visits have the same number"
        assert all(1 <= number <= counts.get(tag, 0) for number in made)
        if not any(visited == tag and not key for burst in bursts for visited, key in burst.requests):
            assert sorted(made) == list(range(1, counts.get(tag, 0) + 1))
            assert counts.get(tag, 0) == keyed[tag]


@pytest.mark.parametrize("seed", range(10))
def test_fifty_concurrent_visits_within_request_time(seed: int) -> None:
    visits, draw = 50, Random(seed)
    store, clocks, numbers = Store(TABLE, KEYS), dict.fromkeys(range(visits), 0.0), []

    class Remote:
        """The store at a distance of 10 ms. A call takes effect when no other visitor's clock is behind."""

        def __init__(self, visitor: int) -> None:
            self.visitor = visitor

        def __getattr__(self, name: str) -> Any:
            clocks[self.visitor] += 0.01
            return getattr(store, name)

    def visit(visitor: int) -> None:
        def sleep(seconds: float) -> None:
            clocks[visitor] += seconds

        budget = RetryBudget(lambda: record_visit.RETRY_SECONDS - clocks[visitor], sleep, draw.random)
        try:
            numbers.append(KeyedVisits(Remote(visitor), TABLE, KEYS).record("a", f"k{visitor}", budget, 0.0).count)
        finally:
            del clocks[visitor]

    def next_visitor() -> Iterator[int]:
        while True:
            yield sorted(clocks).index(min(clocks, key=lambda visitor: clocks[visitor]))

    ends = interleave(store, [partial(visit, visitor) for visitor in range(visits)], next_visitor())
    assert [end for end in ends if end is not None] == []
    assert sorted(numbers) == list(range(1, visits + 1))


def _also_after(store: Store, act: Any) -> None:
    after = store.after

    def both(call: str) -> None:
        act(call)
        after(call)

    store.after = both


def test_expired_key_any_tag() -> None:
    store = Store(TABLE, KEYS)
    keyed = KeyedVisits(store, TABLE, KEYS)
    assert keyed.record("a", "k", ample_budget(), 0.0) == Recorded(1)
    assert keyed.record("a", "k", ample_budget(), TTL_SECONDS - 1.0) == Recorded(1, replayed=True)
    assert keyed.record("b", "k", ample_budget(), float(TTL_SECONDS)) == Recorded(1)
    assert {key: item["Count"]["N"] for key, item in store.tables[TABLE].items()} == {"a": "1", "b": "1"}


@pytest.mark.parametrize(
    ("error", "keyed", "pauses"),
    [
        (client_error("ThrottlingException"), False, [20, 40, 80, 160, 320]),
        (client_error("ThrottlingException"), True, [20, 40, 80, 160, 320]),
        (cancelled("None", "TransactionConflict"), True, [20, 40, 80, 80, 80]),
    ],
)
def test_pauses_short_while_visits_collide(error: Exception, keyed: bool, pauses: list[int]) -> None:
    store, errors, slept, calls = Store(TABLE, KEYS), [error] * len(pauses), list[float](), list[str]()

    def refuse(call: str) -> None:
        calls.append(call)
        if call != "get_item" and errors:
            raise errors.pop()

    store.before = refuse
    budget = RetryBudget(lambda: 9.0, slept.append, lambda: 1.0)
    visited = KeyedVisits(store, TABLE, KEYS).record("a", "k", budget) if keyed else record(store, TABLE, "a", budget)
    assert visited == Recorded(1)
    assert [round(1000 * seconds) for seconds in slept] == pauses
    assert calls.count("get_item") == keyed
