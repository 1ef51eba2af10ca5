"""`reconcile` on moto; tests/e2e/test_verifying.py has it repair a total on the running local cloud."""

from __future__ import annotations

import os
from typing import Any

import pytest

from cli import main as command_line
from cli.operate import checkpoint as checkpoints
from cli.operate import table as tables
from cli.operate.rebuild import Pace, Progress, Rebuild
from cli.operate.table import CounterTable
from functions.dynamodb.retries import retry_budget
from functions.total.total import Total
from tests.cli.counted import REGION, Counted

LOWER = "Let the total become lower if the tags show fewer visits?"
KEEP = "Keep visits that no tag shows, as those of deleted tags?"


def damage(counted: Counted) -> None:
    """Lose the records of two visits."""
    counted.visit("a", 3)
    counted.visit("b", 2)
    counted.deliver()
    counted.visit("a", 2)
    counted.lose()


def test_reconcile_brings_in_lost_visits(counted: Counted) -> None:
    damage(counted)
    expected = "2 visits had been missing and are in the total now. The total is 7 visits.\n"
    assert counted.call("reconcile") == expected
    found = counted.json("reconcile")
    assert found.pop("text") == "Nothing was missing."
    numbers = {"total": 7, "found": 0, "ended": 0, "tags": 2, "visits": 7, "marked": 2}
    assert found == {"exact": True, "malformed": [], **numbers}
    assert counted.json("verify")["drift"] == []
    counted.visit("a")
    counted.deliver()
    assert counted.total == 8


def test_reconcile_empty_table(counted: Counted) -> None:
    assert counted.call("reconcile") == "Nothing was missing.\n"


@pytest.mark.parametrize("how", ["deleted", "overwritten", "adopted"])
def test_reconcile_untrusted_total(counted: Counted, how: str) -> None:
    counted.visit("a", 3)
    if how == "adopted":
        counted.put("b", Count=4)
        counted.put("COUNTER", TotalViews=7)
        counted.lose()
    else:
        counted.visit("b", 4)
        counted.deliver()
    if how == "deleted":
        counted.delete("COUNTER")
    elif how == "overwritten":
        counted.change("COUNTER", TotalViews=1)
    assert counted.call("reconcile") == "7 visits had been missing and are in the total now. The total is 7 visits.\n"
    assert counted.json("verify")["drift"] == []


def test_reconcile_keeps_visits_that_only_the_total_knows(counted: Counted) -> None:
    counted.visit("a", 3)
    counted.visit("b", 2)
    counted.deliver()
    counted.delete("a")
    counted.lose()
    counted.call("reconcile", "--wait", "2s", status=1)
    assert counted.errors.startswith("counter: the total has 3 visits more than the tags show, so nothing was changed")
    assert counted.total == 5
    counted.call("reconcile", "--keep", status=2)
    assert f"Error: {KEEP} Confirm with --yes.\n" in counted.errors
    found = counted.json("reconcile", "--keep", "--yes")
    assert (found["total"], found["ended"], counted.total) == (5, 3, 5)
    kept = "The total keeps 3 visits that no tag shows, as those of deleted tags."
    assert found["text"] == f"Nothing was missing.\n{kept}"
    assert counted.json("verify")["drift"] == []


def test_reconcile_lower(counted: Counted) -> None:
    counted.visit("b", 2)
    counted.deliver()
    counted.change("COUNTER", TotalViews=9, Held=9)
    counted.call("reconcile", "--lower", status=2)
    assert f"Error: {LOWER} Confirm with --yes.\n" in counted.errors
    assert counted.call("reconcile", "--lower", "--yes") == "The total is lower by 7 visits. The total is 2 visits.\n"


def test_reconcile_lower_or_keep(counted: Counted) -> None:
    counted.call("reconcile", "--lower", "--keep", "--yes", status=2)
    assert "--lower and --keep exclude each other." in counted.errors


@pytest.mark.parametrize("arrives", [True, False])
def test_reconcile_deletion_on_its_way(counted: Counted, arrives: bool) -> None:
    """The shard of a deleted tag is behind, while the marks come through the others."""
    counted.late = ("gone",)
    counted.visit("gone", 5)
    counted.visit("here", 3)
    counted.deliver()
    counted.deliver_late()
    counted.delete("gone")
    waited = 0

    def wait() -> None:
        nonlocal waited
        waited += 1
        counted.deliver()
        if arrives and waited == 99:
            counted.deliver_late()

    counted.waits = wait
    counted.call("reconcile", status=0 if arrives else 1)
    if not arrives:
        assert counted.errors.startswith("counter: the total has 5 visits more than the tags show")
        counted.deliver_late()
        assert counted.call("reconcile") == "Nothing was missing.\n"
    assert (counted.total, counted.json("verify")["drift"]) == (8, [])


def test_reconcile_marks_that_do_not_arrive(counted: Counted) -> None:
    counted.visit("a", 3)
    counted.visit("b", 2)
    counted.deliver()
    counted.waits = lambda: None
    counted.call("reconcile", "--wait", "2s", status=1)
    assert counted.errors.startswith(
        "counter: the marks of 2 items have not come through the stream, and none has for 2 s"
    )
    assert "see in `counter status` whether the event source mapping is disabled" in counted.errors
    assert counted.total == 5
    assert "a rebuild has 0 of 5 visits" in counted.call("status")
    assert counted.json("verify")["drift"] == []
    counted.waits = counted.deliver
    counted.call("reconcile")


def test_reconcile_late_marks_hidden_by_visits(counted: Counted) -> None:
    """Visits make the following sum reach what was read before all marks have come through."""
    counted.late = ("late",)
    for tag in ("late", "early"):
        counted.visit(tag, 3)
    counted.deliver()
    counted.deliver_late()
    waited = 0

    def wait() -> None:
        nonlocal waited
        waited += 1
        counted.visit("early", 5)
        counted.deliver()
        if waited == 4:
            counted.deliver_late()

    counted.waits = wait
    found = counted.json("reconcile")
    assert (waited, found["found"], found["ended"]) == (4, 0, 0)
    assert (counted.total, counted.json("verify")["drift"]) == (26, [])


def test_reconcile_late_marks_of_new_tags(counted: Counted) -> None:
    """A tag that is created while a rebuild begins is in the total before the rebuild has it."""
    counted.late = ("new",)
    counted.visit("gone", 2)
    counted.visit("old", 3)
    counted.deliver()
    counted.delete("gone")
    counted.lose()
    waited = 0

    def wait() -> None:
        nonlocal waited
        waited += 1
        if waited == 1:
            counted.visit("new", 4)
            counted.deliver()
            counted.deliver_late()
        counted.deliver()
        if waited > 60:
            counted.deliver_late()

    counted.waits = wait
    found = counted.json("reconcile", "--keep", "--yes")
    counted.deliver_late()
    assert (found["ended"], counted.total) == (2, 9)
    assert counted.json("verify")["drift"] == []


def test_reconcile_records_that_arrive_late_end_the_rebuild(counted: Counted) -> None:
    damage(counted)
    table = CounterTable(counted.client, counted.table)
    rebuild = Rebuild(table)
    *_, progress = rebuild.mark_items(rebuild.begin(retry_budget(9)))
    counted.deliver()
    Total(counted.client, counted.table).flag(retry_budget(9))
    assert (rebuild.missing(progress), rebuild.finish(progress)) == (None, None)
    assert counted.json("verify", status=1)["total"]["rebuilding"]
    assert counted.json("reconcile")["found"] == 2


def test_reconcile_malformed_counts(counted: Counted) -> None:
    damage(counted)
    counted.put("bad", Count="many")
    found = counted.json("reconcile", status=1)
    assert (found["exact"], found["found"], found["malformed"]) == (False, 2, ["bad"])
    expected = "The count of 'bad' is malformed, and not in the total. Mend this, and run `counter reconcile` again."
    assert found["text"].endswith(expected)


def test_reconcile_replaced_by_another(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    damage(counted)
    mark_items = Rebuild.mark_items

    def replaced(self: Rebuild, progress: Progress) -> Any:
        yield from mark_items(self, progress)
        self.begin(retry_budget(9))

    monkeypatch.setattr(Rebuild, "mark_items", replaced)
    counted.call("reconcile", status=1)
    assert "counter: the rebuild was replaced by another one, or COUNTER was changed" in counted.errors


def test_reconcile_another_table(counted: Counted) -> None:
    counted.table = f"{counted.table}-keys"
    counted.create(counted.table)
    counted.put("key", Count=1)
    counted.call("reconcile", status=1)
    assert f"counter: table {counted.table} is not a counter's: " in counted.errors
    assert counted.item() == {}
    counted.table = "nowhere"
    counted.call("reconcile", status=1)
    assert "counter: An error occurred (ResourceNotFoundException)" in counted.errors


def test_reconcile_without_a_region(
    counted: Counted, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    assert command_line.main(["reconcile", "--table", counted.table]) == 1
    assert "counter: the region is not known; give --region, or set AWS_REGION" in capsys.readouterr().err


@pytest.mark.parametrize("rate", ["0", "-5", "fast", "²"])
def test_reconcile_invalid_rate(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["reconcile", "--table", "t", f"--rate={rate}"]) == 2
    assert f"{rate!r} is not a rate; allowed: 1 to 100000" in capsys.readouterr().err


class Killed(BaseException):
    """The process was killed."""


def stop(monkeypatch: pytest.MonkeyPatch, counted: Counted, error: type[BaseException], at: int) -> None:
    """Call reconcile, and stop it when it is about to write mark number `at`."""
    marks: list[int] = []

    def pace(_: object, writes: int) -> None:
        marks.append(writes)
        if len(marks) == at:
            raise error

    with monkeypatch.context() as stopping:
        stopping.setattr(Pace, "__call__", pace)
        if error is KeyboardInterrupt:
            counted.call("reconcile", status=130)
        else:
            with pytest.raises(error):
                command_line.main(["reconcile", "--table", counted.table, "--region", REGION])


@pytest.fixture
def paged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read ten items at once, and keep the progress after each page."""
    monkeypatch.setattr(checkpoints, "_SAVE_SECONDS", 0.0)
    monkeypatch.setattr(tables, "PAGE_ITEMS", 10)


@pytest.mark.usefixtures("paged")
@pytest.mark.parametrize("error", [KeyboardInterrupt, Killed])
def test_reconcile_continues_a_stopped_call(
    counted: Counted, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    for number in range(40):
        counted.visit(f"tag {number:02}", 2)
    counted.lose()
    stop(monkeypatch, counted, error, 25)
    if error is KeyboardInterrupt:
        assert counted.errors == "counter: stopped; the next `counter reconcile` continues\n"
    counted.visit("tag 00")
    counted.visit("tag 39")
    found = counted.json("reconcile")
    assert counted.errors.startswith("Continuing the call that was stopped after ")
    assert (found["tags"], found["marked"], counted.total) == (40, 40, 82)
    assert counted.json("verify")["drift"] == []
    counted.json("reconcile")
    assert "Continuing" not in counted.errors


@pytest.mark.usefixtures("paged")
@pytest.mark.parametrize("arguments", [("--restart",), ()])
def test_reconcile_starts_over(counted: Counted, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    for number in range(40):
        counted.visit(f"tag {number:02}", 2)
    counted.deliver()
    stop(monkeypatch, counted, Killed, 25)
    counted.lose()
    assert counted.json("reconcile", "--wait", "2s", *arguments)["total"] == 80
    assert ("starting over" in counted.errors, "Continuing" in counted.errors) == (not arguments, not arguments)
