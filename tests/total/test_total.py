"""The total is exact: whatever the stream does, `TotalViews` ends at the number of visits recorded."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.total.steps import Batch, Delete, Deliver, Reconcile, Visit, deletions, deliveries, reconciliations, visits
from tests.total.world import LEDGER, TABLE, World

Step = Visit | Delete | Deliver | Reconcile


def run(world: World, steps: list[Step]) -> World:
    for step in steps:
        step.happen(world)
        assert world.total <= world.visits
    world.drain()
    return world


def once(*numbers: int) -> Deliver:
    """Deliver the next records, as many as the number, one batch after another, nothing amiss."""
    return Deliver(tuple(Batch(0, number, (), 0) for number in numbers), (), 99, "throttle")


@settings(max_examples=500)
@given(st.lists(st.one_of(visits, deliveries), max_size=14))
def test_any_delivery_of_visits_gives_the_exact_total(steps: list[Step]) -> None:
    world = run(World(), steps)
    assert world.total == world.visits == sum(world.counts.values())


@settings(max_examples=400)
@example([Visit("a", 5), Delete("a"), Visit("a", 3), once(6), Reconcile()])
@example([Visit("a", 2), once(2), Delete("a"), Visit("a", 5), Reconcile(), once(3)])
@example([Visit("a", 5), once(5), Reconcile(), Delete("a"), once(1), Reconcile()])
@given(st.lists(st.one_of(visits, deliveries, deletions, reconciliations), max_size=16))
def test_deletions_take_nothing_from_the_total_and_reconciling_adds_nothing_to_it(steps: list[Step]) -> None:
    world = run(World(), steps)
    assert world.total == world.visits


@settings(max_examples=200)
@given(
    st.dictionaries(st.sampled_from(["a", "b", "old"]), st.integers(1, 50)),
    st.fixed_dictionaries({}, optional={"Ledger": st.sampled_from(["another", LEDGER]), "UpdatedAt": st.just("then")}),
    st.integers(0, 99),
    st.lists(st.one_of(visits, deliveries), max_size=10),
)
def test_an_adopted_table_brings_its_history_once(
    history: dict[str, int], foreign: dict[str, str], views: int, steps: list[Step]
) -> None:
    world = World()
    for tag, count in history.items():
        world.store.put(TABLE, {"ID": {"S": tag}, "Count": {"N": str(count)}})
    ours = foreign.get("Ledger") == LEDGER
    counter = {"ID": {"S": "COUNTER"}, **{name: {"S": value} for name, value in foreign.items()}}
    # A COUNTER that names this ledger although the ledger is empty holds what the ledger counted: nothing.
    world.store.put(TABLE, counter | {"TotalViews": {"N": "0" if ours else str(views)}})
    world.store.stream.clear()
    world.visits = sum(history.values())
    for step in steps:
        step.happen(world)
    world.drain()
    seen = {record["dynamodb"]["Keys"]["ID"]["S"] for record in world.store.stream} - {"COUNTER"}
    assert not seen or world.total == sum(count for tag, count in world.counts.items() if tag in seen)
    world.reconcile()
    world.drain()
    assert not world.visits or world.total == world.visits == sum(world.counts.values())


@settings(max_examples=250)
@given(
    st.booleans(),
    st.lists(st.one_of(visits, deliveries, reconciliations), max_size=8),
    st.sampled_from(["delete", "overwrite", "other ledger"]),
    st.lists(st.one_of(visits, deliveries, reconciliations), max_size=8),
)
@example(True, [Visit("a", 2), once(2)], "overwrite", [Visit("a", 1), once(1)])
def test_a_lost_total_comes_back_whole(plain: bool, before: list[Step], loss: str, after: list[Step]) -> None:
    world = World()
    if plain:
        world.store.put(TABLE, {"ID": {"S": "COUNTER"}, "TotalViews": {"N": "0"}, "Ledger": {"S": LEDGER}})
    for step in before:
        step.happen(world)
    if loss == "delete":
        world.store.delete(TABLE, "COUNTER")
    else:
        other = {"Ledger": {"S": "another"}, "Epoch": {"S": "theirs"}} if loss == "other ledger" else {}
        world.store.put(TABLE, {"ID": {"S": "COUNTER"}, "TotalViews": {"N": "7"}, **other})
    for step in after:
        step.happen(world)
    world.drain()
    world.reconcile()
    world.drain()
    assert not world.visits or world.total == world.visits
    assert world.reconcile().behind == 0


@settings(max_examples=150)
@given(st.lists(st.one_of(visits, deliveries), max_size=10), st.sets(st.integers(0, 30)))
def test_reconciling_heals_lost_records(steps: list[Step], lost: set[int]) -> None:
    world = World()
    for step in steps:
        step.happen(world)
        if world.done in lost:
            world.done = min(len(world.store.stream), world.done + 3)
    world.drain()
    world.reconcile()
    world.drain()
    assert world.total == world.visits


def test_a_batch_of_many_tags_is_cut_into_transactions_and_a_crash_between_them_is_harmless() -> None:
    world = World()
    for number in range(250):
        world.visit(f"tag {number}")
    Deliver((Batch(0, 250, (), 2),), (), 3, "crash after").happen(world)
    assert world.done == 0
    assert world.total == 99
    world.drain(size=250)
    assert world.total == 250
