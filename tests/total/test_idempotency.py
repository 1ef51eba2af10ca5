"""Whatever fails, comes twice or at the same time: a key counts one visit, and all its answers are the same."""

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
from tests.total.steps import FAULTS, inject
from tests.total.store import Store
from tests.total.world import LEDGER, TABLE, CrashError, World, endless, interleave

KEYS = "visits-idempotency"


@dataclass(frozen=True)
class Sending:
    """Requests sent at the same time, each a tag and a key ("" for none), and what happens to one of their calls."""

    requests: tuple[tuple[str, str], ...]
    choices: tuple[int, ...]
    at: int
    fault: str


sendings = st.builds(
    Sending,
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["k", "l", "m", ""])), min_size=1, max_size=3).map(tuple),
    st.lists(st.integers(0, 2), max_size=10).map(tuple),
    st.integers(0, 6),
    st.sampled_from(FAULTS),
)


@settings(max_examples=300)
@given(st.lists(sendings, max_size=6))
def test_a_key_is_one_visit(sendings: list[Sending]) -> None:
    world = World()
    world.store = Store(TABLE, LEDGER, KEYS, streamed=TABLE)
    answers: dict[str, list[Recorded]] = {}
    unkeyed: list[tuple[str, int]] = []
    owners: dict[str, str] = {}
    refused: list[tuple[int, bool]] = []

    def send(tag: str, key: str) -> None:
        if not key:
            with contextlib.suppress(ProblemError):
                unkeyed.append((tag, record(world.store, TABLE, tag, endless()).count))
            return
        try:
            recorded = KeyedVisits(world.store, TABLE, KEYS).record(tag, key, endless(), 0.0)
        except ProblemError as problem:
            refused.append((problem.status, owners[key] != tag))
            return
        assert owners.setdefault(key, tag) == tag
        answers.setdefault(key, []).append(recorded)

    def first_come(call: str) -> None:
        for key, item in world.store.tables[KEYS].items():
            owners.setdefault(key, item["Tag"]["S"])

    for sending in sendings:
        inject(world, sending.at, sending.fault)
        _also_after(world.store, first_come)
        jobs = [lambda tag=tag, key=key: send(tag, key) for tag, key in sending.requests]
        for end in interleave(world.store, jobs, chain(sending.choices, cycle(range(3)))):
            if end is not None and not isinstance(end, CrashError):
                raise end
    inject(world, -1, "")
    assert set(refused) <= {(422, True)}
    held = world.store.tables[KEYS]
    keyed = {tag: sum(owner == tag for owner in owners.values()) for tag in "ab"}
    assert len(owners) == len(held)
    numbers = {
        tag: [int(item["Count"]["N"]) for item in held.values() if item["Tag"]["S"] == tag]
        + [number for visited, number in unkeyed if visited == tag]
        for tag in "ab"
    }
    for given_answers in answers.values():
        assert len({answer.count for answer in given_answers}) == 1
        assert sum(not answer.replayed for answer in given_answers) <= 1
    for tag, made in numbers.items():
        assert len(made) == len(set(made)), "two visits have one number"
        assert all(1 <= number <= world.counts.get(tag, 0) for number in made)
        if not any(visited == tag and not key for sending in sendings for visited, key in sending.requests):
            assert sorted(made) == list(range(1, world.counts.get(tag, 0) + 1))
            assert world.counts.get(tag, 0) == keyed[tag]


@pytest.mark.parametrize("seed", range(10))
def test_fifty_visits_at_once_are_all_counted_in_the_time_that_a_request_has(seed: int) -> None:
    visits, draw = 50, Random(seed)
    store, clocks, numbers = Store(TABLE, KEYS), dict.fromkeys(range(visits), 0.0), []

    class Remote:
        """The store 10 ms away. A call has its effect once no other visitor's clock is behind."""

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


def test_an_expired_key_is_a_new_visit_of_any_tag() -> None:
    store = Store(TABLE, KEYS)
    keyed = KeyedVisits(store, TABLE, KEYS)
    assert keyed.record("a", "k", endless(), 0.0) == Recorded(1)
    assert keyed.record("a", "k", endless(), TTL_SECONDS - 1.0) == Recorded(1, replayed=True)
    assert keyed.record("b", "k", endless(), float(TTL_SECONDS)) == Recorded(1)
    assert {key: item["Count"]["N"] for key, item in store.tables[TABLE].items()} == {"a": "1", "b": "1"}
