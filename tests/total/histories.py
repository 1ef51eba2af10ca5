"""Random histories, and what has to be true during and after them."""

from hypothesis import note
from hypothesis import strategies as st

from functions.dynamodb.tables import is_total
from tests.total.steps import (
    AGAIN,
    BEGIN,
    FAULTS,
    FINISH,
    RECONCILE,
    SAVE,
    TAGS,
    Call,
    Damage,
    Deliver,
    Lose,
    Malform,
    Put,
    PutBack,
    Step,
    Together,
    Visit,
    delete,
)
from tests.total.world import World

Steps = st.SearchStrategy[Step]

tags = st.sampled_from(TAGS)
lines = st.integers(0, 2)
visits: Steps = st.builds(Visit, tags, st.integers(1, 4), st.integers(0, 2))
batches: Steps = st.builds(
    Deliver,
    st.integers(1, 8),
    lines,
    st.sampled_from([0, 0, 0, 1, 2, 5, 12]),
    st.lists(st.integers(0, 7), max_size=2).map(tuple),
    st.integers(0, 2),
)


def together(*more: Steps) -> Steps:
    """Draw concurrent deliveries, and the steps in `more`."""
    return st.builds(
        Together,
        st.lists(st.one_of(batches, batches, *more), min_size=1, max_size=3).map(tuple),
        st.lists(st.integers(0, 2), max_size=12).map(tuple),
        st.integers(0, 9),
        st.sampled_from(FAULTS),
    )


deletions: Steps = st.builds(delete, tags)
losses: Steps = st.builds(Lose, lines, st.integers(1, 5))
edits: Steps = st.builds(Put, tags, st.integers(0, 6))
kept = st.sampled_from([(), ("Since",), ("Reconciled",), ("Since", "Reconciled", "Spread")])
writes: Steps = st.builds(Put, tags, st.integers(0, 6), kept)
negative: Steps = st.builds(Put, tags, st.integers(-3, -1), kept)
backups: Steps = st.one_of(st.just(SAVE), st.builds(PutBack, tags))
counts = st.sampled_from([("S", "many"), ("N", "0.5"), ("N", "1e31")])
malformed: Steps = st.builds(Malform, tags, counts, st.integers(0, 9))
damages: Steps = st.builds(Damage, st.sampled_from(["deleted", "tutorial", "text", "number"]))
older_copies: Steps = st.one_of(st.just(SAVE), st.just(Damage("older copy")))
rolls: Steps = st.builds(Call, st.just("roll"), st.tuples(lines))
waits: Steps = st.builds(Call, st.just("wait"), st.tuples(st.integers(1, 12)))
reconciliations: Steps = st.just(RECONCILE)
marks: Steps = st.builds(Call, st.just("mark"), st.tuples(st.integers(1, 3)))
rebuilds: Steps = st.one_of(st.sampled_from([BEGIN, FINISH, AGAIN]), marks)


def histories(*more: Steps, max_steps: int = 16, concurrent: tuple[Steps, ...] = ()) -> st.SearchStrategy[list[Step]]:
    """Draw histories of visits, deliveries, time, and the steps in `more`."""
    return st.lists(st.one_of(visits, together(*concurrent), waits, *more), max_size=max_steps)


def run(world: World, steps: list[Step], *, rises: bool = False) -> World:
    """Let the steps happen. The total never exceeds the truth; if it `rises`, it never falls either."""
    note(repr(steps))
    for step in steps:
        step.happen(world)
        assert world.stream
    assert not rises or world.oracle.totals == sorted(world.oracle.totals)
    return world


def settle(world: World) -> None:
    """Deliver everything; the total is then the truth, unless it is flagged or records were lost."""
    world.drain()
    if "rebuilding" not in world.shown and not world.oracle.lost:
        assert world.oracle.truth - world.oracle.unknowable <= world.total <= world.oracle.truth


def check(world: World) -> None:
    """Reconcile; the total is then the truth, and a comparison with the tags finds nothing."""
    settle(world)
    world.reconcile()
    world.drain()
    assert "rebuilding" not in world.shown
    assert world.oracle.truth - world.oracle.unknowable <= world.total <= world.oracle.truth
    assert all("Count" in item for key, item in world.store.items(world.table).items() if not is_total(key))
    found = world.compare()
    assert (found.missing, found.surplus, found.within, found.unmarked) == (0, 0, 0, {})
