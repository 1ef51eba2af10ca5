"""Situations in production on AWS's own engine, through the handlers and the operators' code."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from functions import process_stream
from functions.dynamodb.retries import retry_budget
from functions.total.total import Total
from tests.dynamodb_local.stack import Stack
from tests.functions.events import batch
from tests.functions.gateway import request


def test_replayed_and_recut_batches(stack: Stack) -> None:
    stack.visit("a", 5)
    stack.visit("b", 4)
    records = stack.records()
    for first, last in ((0, 3), (0, 3), (1, 7), (5, 9), (0, 9), (2, 4)):
        stack.process(records[first:last])
    assert (stack.total, stack.difference(), stack.flagged) == (9, (0, 0), False)


def test_shards_that_roll_over(stack: Stack) -> None:
    stack.count("a", 2)
    stack.visit("a", 1)
    stack.engine.roll_over()
    stack.visit("a", 3)
    stack.delete("a")
    stack.engine.roll_over()
    stack.count("a", 4)
    assert (stack.total, stack.difference(), stack.flagged) == (10, (0, 0), False)
    assert len(stack.item("COUNTER")["Positions"]["M"]) == len(set(stack.shards.values())) == 3
    # Records of a shard that is closed are delivered again.
    stack.read = 0
    records = stack.records()
    stack.deploy().process(records[:3] + records[2:9])
    assert (stack.total, stack.flagged) == (10, False)


def test_concurrent_processors_of_one_shard(stack: Stack) -> None:
    stack.visit("a", 40)
    records = stack.records()
    (shard,) = set(stack.shards.values())

    def process(offset: int) -> None:
        total = Total(stack.engine.make_client(), stack.table)
        for first in range(offset, 40, 5):
            part = batch(*records[max(0, first - 5) : first + 5], shard=shard)
            process_stream.process(part, total, retry_budget(20))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(process, (0, 2, 4)))
    stack.process(records)
    assert (stack.total, stack.flagged) == (40, False)


def test_processor_that_crashes_after_its_update(stack: Stack) -> None:
    stack.count("a", 3)
    stack.visit("a", 2)
    records = stack.records()
    stack.process(records)
    stack.deploy().visit("a", 1)
    stack.process([*records, *stack.records()])
    assert stack.total == 6


def test_two_stacks_on_one_table(stack: Stack) -> None:
    other = Stack(stack.engine, stack.monkeypatch, stack.table)
    for _ in range(4):
        stack.deploy().count("a", 3)
        other.deploy().deliver()
    assert (stack.total, stack.difference(), stack.flagged) == (12, (0, 0), False)


def test_deletion_and_recreation(stack: Stack) -> None:
    stack.count("a", 5)
    stack.delete("a")
    stack.count("a", 3)
    assert (stack.total, stack.difference()) == (8, (0, 0))


def test_count_set_to_zero_by_hand(stack: Stack) -> None:
    stack.count("a", 10)
    stack.put(stack.item("a") | {"Count": {"N": "0"}})
    stack.count("a", 6)
    assert (stack.total, stack.difference()) == (16, (0, 0))


@pytest.mark.parametrize("mark", [{}, {"S": "unknown"}, {"S": ""}, {"N": "5"}, {"NULL": True}])
def test_item_replaced_by_putitem(stack: Stack, mark: dict[str, Any]) -> None:
    stack.count("a", 10)
    stack.put({"ID": {"S": "a"}, "Count": {"N": "12"}, **({"Reconciled": mark} if mark else {})})
    stack.deliver()
    assert stack.total == 12
    stack.count("a", 1)
    assert (stack.total, stack.difference()) == (13, (0, 0))


def test_visits_after_deletion_whose_record_was_lost(stack: Stack) -> None:
    stack.count("a", 10)
    stack.delete("a")
    stack.lose()
    stack.count("a", 6)
    assert (stack.total, stack.difference()) == (16, (0, 10))
    assert (stack.rebuild(), stack.total) == (10, 16)


def test_lost_visits_of_tag_whose_deletion_was_delivered(stack: Stack) -> None:
    stack.count("b", 1)
    stack.visit("a", 10)
    stack.lose()
    stack.delete("a")
    stack.deliver()
    # The record of the deletion tells of the ten visits; the total has them once it was rebuilt.
    assert (stack.total, stack.difference()) == (1, (10, 0))
    assert (stack.rebuild(), stack.total) == (0, 11)


def test_deletion_and_recreation_whose_records_were_lost(stack: Stack) -> None:
    stack.count("a", 5)
    stack.delete("a")
    stack.visit("a", 3)
    stack.lose()
    # Nothing shows that the 3 visits are not among the 5: only the lost records could tell.
    assert (stack.rebuild(), stack.total) == (2, 5)
    stack.count("a", 1)
    assert stack.total == 6


def test_lost_visits_come_back_while_visits_go_on(stack: Stack) -> None:
    stack.count("a", 4)
    stack.visit("a", 3)
    stack.visit("lost", 5)
    stack.lose()
    shown = [stack.total]
    stack.count("a", 1)
    shown.append(stack.total)
    progress = stack.marked()
    for tag in ("a", "new", "lost"):
        stack.count(tag, 2)
        shown.append(stack.total)
    assert stack.rebuilds.missing(progress) == 0
    outcome = stack.rebuilds.finish(progress)
    shown.append(stack.total)
    assert shown == [4, 5, 7, 9, 11, 19]
    assert outcome is not None
    assert (outcome.before, outcome.total, outcome.ended, stack.difference()) == (11, 19, 0, (0, 0))


def test_hot_tag_in_several_items(stack: Stack) -> None:
    stack.count("a", 5)
    for number in ("4", "2"):
        stack.monkeypatch.setenv("ITEMS_PER_TAG", number)
        stack.deploy()
        for _ in range(5):
            stack.count("a", 3)
    answer = request("GET", "/counts/a").json
    assert (answer["count"], answer["total"]) == (35, 35)
    assert request("GET", "/counts?limit=9").json["tags"] == [{"tag": "a", "count": 35}]
    assert stack.item("a")["Spread"] == {"N": "4"}
    stack.delete("COUNTER")
    stack.count("a", 1)
    assert stack.flagged
    assert (stack.rebuild(), stack.total) == (0, 36)
    for key in ("a", "a/%/1", "a/%/2", "a/%/3"):
        stack.delete(key)
    stack.lose()
    stack.count("a", 1)
    assert (request("GET", "/counts/a").json["count"], stack.total) == (1, 37)
    assert (stack.rebuild(), stack.total) == (36, 37)


def test_table_restored_from_a_backup(stack: Stack) -> None:
    stack.count("a", 5)
    backup = stack.engine.client.scan(TableName=stack.table)["Items"]
    stack.count("a", 10)
    restored = f"{stack.table}-restored"
    stack.engine.create_table(restored)
    stack.deploy(restored)
    for item in backup:
        stack.put(item)
    # Streams are enabled once a table has been restored, so its own items are in none.
    stack.lose()
    stack.count("a", 7)
    assert (stack.total, stack.flagged) == (12, True)
    assert (stack.rebuild(), stack.total) == (0, 12)


def test_running_stack_adopts_a_table_of_the_tutorial(stack: Stack) -> None:
    older, own = f"{stack.table}-older", f"{stack.table}-own"
    stack.engine.create_table(older)
    # Its stream is older, too, so its positions come before those of the stack's own table.
    stack.engine.create_table(own)
    stack.deploy(own).count("a", 2)
    stack.deploy(older)
    stack.put({"ID": {"S": "a"}, "Count": {"N": "50"}})
    stack.put({"ID": {"S": "b"}, "Count": {"N": "7"}})
    stack.put({"ID": {"S": "COUNTER"}, "TotalViews": {"N": "57"}})
    stack.lose()
    stack.count("a", 3)
    stack.count("a", 1)
    assert (stack.total, stack.flagged) == (54, True)
    assert (stack.rebuild(), stack.total) == (0, 61)


@pytest.mark.parametrize("value", [{"S": "many"}, {"N": "3"}, {"BOOL": True}, {"NULL": True}])
@pytest.mark.parametrize("names", [("TotalViews",), ("TotalViews", "Held")])
def test_total_overwritten_under_a_warm_processor(stack: Stack, names: tuple[str, ...], value: dict[str, Any]) -> None:
    stack.count("a", 10)
    stack.count("b", 4)
    stack.put(stack.item("COUNTER") | dict.fromkeys(names, value))
    stack.count("a", 2)
    if names[1:] and value == {"N": "3"}:
        # Both numbers were changed alike, which nothing shows but a comparison.
        assert (stack.total, stack.difference()) == (5, (11, 0))
    else:
        assert (stack.total, stack.flagged) == (12, True)
    assert (stack.rebuild(), stack.total) == (0, 16)


def test_table_created_again_under_its_name(stack: Stack) -> None:
    stack.count("a", 5)
    backup = stack.item("a") | {"Count": {"N": "3"}, "Since": {"S": "2026-01-01T00:00:00.000000Z"}}
    stack.engine.delete_table(stack.table)
    stack.engine.create_table(stack.table)
    stack.read = 0
    stack.put(backup)
    stack.lose()
    stack.count("a", 1)
    assert (stack.total, stack.rebuild(), stack.total) == (4, 0, 4)


def test_counter_deleted_after_a_tag(stack: Stack) -> None:
    stack.count("gone", 5)
    stack.count("a", 2)
    stack.delete("gone")
    stack.deliver()
    assert (stack.total, stack.difference()) == (7, (0, 0))
    stack.delete("COUNTER")
    stack.lose()
    # The five visits of the deleted tag were in COUNTER alone.
    assert (stack.rebuild(), stack.total) == (0, 2)


@pytest.mark.parametrize(
    ("value", "after", "outcome"),
    [
        ({"S": "7"}, {"S": "7"}, "The visit was not counted."),
        ({"N": "9.9E+125"}, {"N": f"99{'0' * 124}"}, "The visit was not counted."),
        ({"N": "2.5"}, {"N": "3.5"}, "The visit was added to it."),
        ({"N": "1E+37"}, {"N": f"1{'0' * 36}1"}, "The visit was added to it."),
    ],
)
def test_malformed_count_until_it_is_mended(stack: Stack, value: Any, after: Any, outcome: str) -> None:
    stack.count("b", 1)
    stack.count("a", 4)
    stack.put(stack.item("a") | {"Count": value})
    refused = request("POST", "/tag/a")
    assert (refused.status, refused.json["detail"].endswith(outcome)) == (409, True)
    assert stack.item("a")["Count"] == after
    stack.deliver()
    assert stack.total == 1
    stack.put(stack.item("a") | {"Count": {"N": "5"}})
    stack.count("a", 1)
    assert (stack.total, stack.difference()) == (7, (0, 0))
