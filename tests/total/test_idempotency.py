"""Whatever fails, comes twice or at the same time: a key counts one visit, and all its answers are the same."""

from dataclasses import dataclass
from itertools import chain, cycle
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.idempotency import KEPT, KeyedVisits
from functions.problems import ProblemError
from functions.visits import Recorded
from tests.total.steps import FAULTS, inject
from tests.total.store import Store
from tests.total.world import LEDGER, TABLE, CrashError, World, endless, interleave

KEYS = "visits-idempotency"


@dataclass(frozen=True)
class Sending:
    """Requests sent at the same time, each a tag and a key, and what happens to one of their calls."""

    requests: tuple[tuple[str, str], ...]
    choices: tuple[int, ...]
    at: int
    fault: str


sendings = st.builds(
    Sending,
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("kl")), min_size=1, max_size=3).map(tuple),
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
    owners: dict[str, str] = {}
    refused: list[tuple[int, bool]] = []

    def send(tag: str, key: str) -> None:
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
    assert sum(world.counts.values()) == len(held)
    assert {tag: sum(owner == tag for owner in owners.values()) for tag in world.counts} == world.counts
    for given_answers in answers.values():
        assert len({answer.count for answer in given_answers}) == 1
        assert sum(not answer.replayed for answer in given_answers) <= 1


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
    assert keyed.record("a", "k", endless(), KEPT - 1.0) == Recorded(1, replayed=True)
    assert keyed.record("b", "k", endless(), float(KEPT)) == Recorded(1)
    assert {key: item["Count"]["N"] for key, item in store.tables[TABLE].items()} == {"a": "1", "b": "1"}
