"""`verify` and `delete`; tests/e2e/test_verifying.py calls them on the running local cloud."""

from __future__ import annotations

from typing import Any

import pytest

from cli import core
from cli.operate.rebuild import Rebuild
from cli.operate.table import CounterTable
from functions.dynamodb.retries import RetryBudget, retry_budget
from tests.cli.counted import Counted


def test_verify_exact_total(counted: Counted) -> None:
    counted.visit("a", 3)
    counted.visit("b", 2)
    counted.deliver()
    counted.delete("b")
    counted.deliver()
    found = counted.json("verify")
    assert (found["counts"], found["ended"], found["total"]["visits"]) == ({"tags": 1, "visits": 3}, 2, 5)
    assert (found["missing"], found["surplus"], found["within"], found["drift"]) == (0, 0, 0, [])
    assert counted.call("verify").endswith("\nThe total is exact.\n")


def test_verify_unused_table(counted: Counted) -> None:
    assert counted.call("verify") == "No visits have been counted yet.\n"
    counted.waits = lambda: None
    counted.visit("a")
    sentence = "There is no total to compare: COUNTER is missing. Run `counter reconcile`."
    assert counted.json("verify", "--wait", "1s", status=1)["drift"] == [sentence]


def test_verify_waits_for_the_first_visits(counted: Counted) -> None:
    counted.visit("a", 2)
    assert counted.json("verify")["total"] == {"visits": 2, "rebuilding": False}
    counted.visit("a")
    counted.delete("a")
    assert counted.json("verify")["ended"] == 3


def test_verify_missing_visits(counted: Counted) -> None:
    counted.visit("a", 3)
    counted.deliver()
    counted.visit("a", 2)
    counted.lose()
    found = counted.json("verify", "--wait", "1s", status=1)
    assert (found["missing"], len(found["drift"])) == (2, 1)
    assert found["drift"][0].startswith("2 visits are missing. Run `counter reconcile`; if the event source mapping is")


def test_verify_surplus(counted: Counted) -> None:
    counted.visit("a", 3)
    counted.deliver()
    counted.delete("a")
    counted.lose()
    found = counted.json("verify", "--wait", "1s", status=1)
    assert found["surplus"] == 3
    assert found["drift"][0].startswith("The total has 3 visits more than the tags show: visits of deleted tags")
    assert found["drift"][0].endswith("Run `counter reconcile`, which says when to use `--keep` or `--lower`.")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"TotalViews": 9}, "TotalViews was changed by something else"),
        ({"Ended": 10**40}, "Ended is damaged"),
        (None, "COUNTER was deleted"),
    ],
)
def test_verify_untrusted_total(counted: Counted, change: dict[str, int] | None, reason: str) -> None:
    counted.visit("a", 3)
    counted.deliver()
    if change:
        counted.client.update_item(
            TableName=counted.table,
            Key={"ID": {"S": "COUNTER"}},
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in change),
            ExpressionAttributeValues={f":{name}": {"S": str(value)} for name, value in change.items()},
        )
    else:
        counted.delete("COUNTER")
    sentence = f"There is no total to compare: {reason}. Run `counter reconcile`."
    assert counted.json("verify", "--wait", "1s", status=1)["drift"] == [sentence]
    assert counted.json("status", status=1)["total"]["damage"] == reason
    assert f"There is no total: {reason}; run `counter reconcile`.\n" in counted.call("status", status=1)


def test_verify_adopted_table(counted: Counted) -> None:
    for number in range(12):
        counted.put(f"tag {number:02}", Count=2)
    counted.put("COUNTER", TotalViews=24)
    counted.lose()
    assert "COUNTER was not written by this counter" in counted.json("verify", "--wait", "1s", status=1)["drift"][0]
    counted.visit("new")
    counted.deliver()
    found = counted.json("verify", "--wait", "1s", status=1)
    assert (len(found["unmarked"]), found["missing"], found["total"]["rebuilding"]) == (12, 24, True)
    assert found["drift"][0] == "The total is marked as too low (`Rebuilding`). Run `counter reconcile`."
    assert found["drift"][2].startswith("12 items are not included in the total: 'tag 00', 'tag 01', ")
    assert found["drift"][2].endswith("'tag 09' and 2 more. Run `counter reconcile`.")
    assert "The total is marked as too low (`Rebuilding`); run `counter reconcile`." in counted.call("status", status=1)


def test_verify_malformed_counts(counted: Counted) -> None:
    counted.visit("a")
    for number in range(12):
        counted.put(f"bad {number:02}", Count="many")
    counted.deliver()
    found = counted.json("verify", "--wait", "1s", status=1)
    assert len(found["malformed"]) == 12
    assert found["drift"][0] == "The count of 'bad 00' is {'S': 'many'}, which is not a whole number. Mend it."
    assert found["drift"][-1] == "So are the counts of 2 more."


def test_verify_items_marked_since_the_scan(counted: Counted) -> None:
    counted.put("old", Count=2)
    counted.put("COUNTER", TotalViews=2)
    counted.visit("new")
    counted.lose()
    counted.visit("new")
    counted.deliver()
    counted.visit("old")
    found = counted.json("verify", "--wait", "1s", status=1)
    assert (found["unmarked"], found["missing"], found["total"]["visits"]) == ({}, 0, 5)


def test_verify_rebuild_swapped_in_during_the_scan(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    counted.visit("a", 3)
    counted.deliver()
    scan, scans = CounterTable.scan, 0

    def swap(self: CounterTable, after: str = "") -> Any:
        nonlocal scans
        scans += 1
        yield from scan(self, after)
        if scans == 1:
            rebuild = Rebuild(self)
            *_, progress = rebuild.mark_items(rebuild.begin(retry_budget(9)))
            counted.deliver()
            assert rebuild.finish(progress)

    monkeypatch.setattr(CounterTable, "scan", swap)
    assert counted.json("verify")["drift"] == []
    # One of the rebuild, and a second comparison.
    assert scans == 3


def test_verify_another_table(counted: Counted) -> None:
    counted.table = f"{counted.table}-keys"
    counted.create(counted.table)
    counted.call("verify", status=1)
    assert f"counter: table {counted.table} is not a counter's: its key is 'ID'" in counted.errors


def test_verify_during_visits(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    counted.visit("a", 3)
    scan = CounterTable.scan

    def visit(self: CounterTable, after: str = "") -> Any:
        yield from scan(self, after)
        counted.visit("a")
        counted.deliver()

    counted.deliver()
    monkeypatch.setattr(CounterTable, "scan", visit)
    assert counted.json("verify")["within"] == 1
    expected = "The total is exact to within 1 visit, which were counted during the comparison.\n"
    assert counted.call("verify").endswith(expected)


def test_delete_keeps_visits(counted: Counted) -> None:
    counted.visit("a", 3)
    assert counted.json("delete", "a", "--yes") == {"tag": "a", "deleted": True, "visits": 3}
    counted.deliver()
    assert (counted.item("a"), counted.total) == ({}, 3)
    counted.call("delete", "a", "--yes", status=1)
    assert counted.errors == f"counter: there is no tag 'a' in table {counted.table}\n"


def test_delete_saves_lost_visits(counted: Counted) -> None:
    counted.visit("a")
    counted.deliver()
    counted.visit("a", 4)
    counted.lose()
    assert counted.call("delete", "a", "--yes") == "'a' (5 visits) is deleted. The total keeps its visits.\n"
    counted.deliver()
    assert counted.json("verify", "--wait", "1s", status=1)["missing"] == 4
    assert counted.json("reconcile")["found"] == 4
    assert counted.total == 5


def test_delete_spread_tag(counted: Counted) -> None:
    counted.put("a", Count=1, Spread=4)
    counted.put("a/%/1", Count=2)
    counted.put("a/%/3", Count=4)
    assert counted.json("delete", "a", "--yes")["visits"] == 7
    assert not any(counted.item(key) for key in ("a", "a/%/1", "a/%/3"))


@pytest.mark.parametrize("times", [1, 99])
def test_delete_visited_meanwhile(counted: Counted, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    counted.put("a", Count=5, Spread=3)

    read, reads = core.read_spread_singly, 0

    def visited(*arguments: Any) -> Any:
        nonlocal reads
        items, reads = read(*arguments), reads + 1
        if reads <= times:
            # A new item of the tag, which item 0 knows of already.
            counted.put("a/%/2", Count=reads)
        return items

    monkeypatch.setattr(core, "read_spread_singly", visited)
    monkeypatch.setattr(core, "retry_budget", lambda seconds: RetryBudget(lambda: seconds, sleep=lambda _: None))
    if times == 1:
        assert counted.json("delete", "a", "--yes")["visits"] == 6
    else:
        counted.call("delete", "a", "--yes", status=1)
        assert "counter: 'a' was not deleted: it was visited again each of the 20 times" in counted.errors
        assert counted.item("a")


def test_delete_malformed_count(counted: Counted) -> None:
    counted.put("a", Count="many")
    counted.call("delete", "a", "--yes", status=1)
    assert counted.errors.startswith("counter: 'a' was not deleted: its visits would be lost. A stored count of ")
    assert counted.item("a")


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("COUNTER", "COUNTER is the key of the total, not a tag."),
        ("COUNTER/%/1", "COUNTER/%/1 is the key of the total, not a tag."),
        ("a/%/1", "'a/%/1' is one of the items of the tag 'a'. Delete that tag."),
    ],
)
def test_delete_other_items(counted: Counted, key: str, problem: str) -> None:
    counted.call("delete", key, "--yes", status=2)
    assert problem in counted.errors
