"""An operator's deletion keeps the visits of the tag in the total, whichever records are lost."""

from typing import Any

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]
from hypothesis import example, given, settings

from functions.dynamodb.tables import item_key
from functions.total.deletion import Deletion, TagDeletion
from tests.doubles import cancelled, client_error
from tests.share import times
from tests.total.steps import Step, Visit, damages, losses, reconciliations, removals
from tests.total.test_total import histories, once, run
from tests.total.world import World

# With old images or without, a life that nobody can know has been deleted in another way.


@settings(max_examples=times(300))
@example([Visit("a", 3), once(3)])
@given(histories(removals, losses, damages, reconciliations))
def test_no_visit_is_lost_with_a_tag_that_an_operator_deletes(steps: list[Step]) -> None:
    for old_images in (True, False):
        world = run(World(old_images=old_images), steps)
        world.settle()
        for tag in list(world.counts):
            world.remove(tag)
            world.lose(99)
        assert world.counts == {}
        assert world.settle().behind == 0
        assert world.total == world.visits


def test_a_tag_whose_visits_are_on_their_way_is_left_until_they_arrive() -> None:
    world = World()
    deletion = TagDeletion(world.store, world.table, world.ledger)
    assert deletion.attempt("a", mark=True) == Deletion(deleted=False, visits=None)
    world.visit("a")
    assert deletion.attempt("a", mark=False) == Deletion(deleted=False, visits=1)
    assert len(world.stream) == 1
    world.lose(1)
    assert deletion.attempt("a", mark=True) == Deletion(deleted=False, visits=1)
    world.drain()
    assert deletion.attempt("a", mark=True) == Deletion(deleted=True, visits=1)
    assert world.counts == {}
    world.drain()
    assert world.store.items(world.ledger)["a"]["Ended"] == {"BOOL": True}
    assert world.visit("a") == 1
    world.drain()
    assert world.total == 2


@pytest.mark.parametrize("count", [0, 1])
def test_a_visit_between_the_comparison_and_the_deletion_prevents_it(count: int) -> None:
    world = World()
    world.put_count("a", count)
    world.drain()

    class Visited:
        def __getattr__(self, name: str) -> Any:
            if name == "delete_item":
                world.visit("a")
            return getattr(world.store, name)

    deletion = TagDeletion(Visited(), world.table, world.ledger)
    assert deletion.attempt("a", mark=True) == Deletion(deleted=False, visits=count)
    assert world.counts == {"a": count + 1}


def test_an_item_that_is_not_a_tag_is_left_alone() -> None:
    world = World()
    world.store.put(world.table, {"ID": {"S": "note"}, "Text": {"S": "x"}})
    world.remove("note")
    assert "note" in world.store.items(world.table)


def test_a_spread_tag_of_which_an_item_is_missing_is_deleted_with_the_others() -> None:
    world = World()
    world.spread(3)
    for _ in range(20):
        world.visit("a")
    world.store.delete(world.table, item_key("a", 1))
    world.drain()
    rest = world.counts["a"]
    deletion = TagDeletion(world.store, world.table, world.ledger)
    assert deletion.attempt("a", mark=True) == Deletion(deleted=True, visits=rest)
    assert (world.counts, world.total) == ({}, 20)


def test_a_tag_whose_count_cannot_be_read_is_left_alone() -> None:
    world = World()
    world.visit("a")
    world.drain()
    world.store.put(world.table, world.store.items(world.table)["a"] | {"Count": {"S": "many"}})
    deletion = TagDeletion(world.store, world.table, world.ledger)
    assert deletion.attempt("a", mark=True) == Deletion(deleted=False, visits=0)
    assert "a" in world.store.items(world.table)


@pytest.mark.parametrize("items", [1, 3])
@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (client_error("ConditionalCheckFailedException"), False),
        (cancelled("ConditionalCheckFailed", "TransactionConflict", "None"), False),
        (client_error("AccessDeniedException"), True),
        (cancelled("None", "ValidationError", "None"), True),
    ],
)
def test_only_another_writer_excuses_a_deletion_that_failed(items: int, error: ClientError, raised: bool) -> None:
    world = World()
    world.spread(items)
    for _ in range(20):
        world.visit("a")
    world.drain()

    class Refusing:
        def __getattr__(self, name: str) -> Any:
            if name in {"delete_item", "transact_write_items"}:
                raise error
            return getattr(world.store, name)

    deletion = TagDeletion(Refusing(), world.table, world.ledger)
    if raised:
        with pytest.raises(ClientError, match=error.response["Error"]["Code"]):
            deletion.attempt("a", mark=True)
    else:
        assert deletion.attempt("a", mark=True) == Deletion(deleted=False, visits=20)
