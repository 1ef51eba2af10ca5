"""The pace, the checkpoint and the remaining time of a reconciliation."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import pytest
from hypothesis import given, strategies

from cli import passes
from cli.aws import Progress
from cli.console import Console
from cli.deployment import deployment
from cli.passes import Checkpoint, Pace, remaining

DEPLOYED = deployment({"tableName": "t", "ledgerTableName": "l"}, region="eu-west-1")
STOPPED = Progress(epoch="e", entries=3, tags=2, expected=9, after="tag ä")


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@given(
    strategies.lists(strategies.tuples(strategies.integers(1, 99), strategies.floats(0, 3)), min_size=2),
    strategies.integers(1, 500),
)
def test_no_more_is_written_than_the_rate_allows(writes: list[tuple[int, float]], rate: int) -> None:
    clock = Clock()
    pace = Pace(rate, clock, clock.sleep)
    written = 0
    for count, work in writes:
        pace(count)
        # Those before this call have had their time; so a stall is not made up for by a burst.
        assert clock.now * rate >= written * 0.999999
        written += count
        clock.now += work


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    monkeypatch.setattr(passes, "_SAVE_SECONDS", 0.0)
    return Checkpoint(DEPLOYED, tmp_path / "state")


def test_a_stopped_pass_is_found_again_until_it_is_cleared(checkpoint: Checkpoint, tmp_path: Path) -> None:
    assert checkpoint.load() is None
    checkpoint.clear()
    checkpoint.save(STOPPED)
    assert Checkpoint(DEPLOYED, tmp_path / "state").load() == STOPPED
    for other in ({"tableName": "u", "ledgerTableName": "l"}, {"tableName": "t", "ledgerTableName": "m"}):
        assert Checkpoint(deployment(other, region="eu-west-1"), tmp_path / "state").load() is None
    assert Checkpoint(deployment(DEPLOYED.outputs, region="eu-west-2"), tmp_path / "state").load() is None
    checkpoint.clear()
    assert checkpoint.load() is None


def test_a_pass_without_a_place_to_continue_at_is_not_kept(checkpoint: Checkpoint) -> None:
    checkpoint.save(STOPPED._replace(after=""))
    assert checkpoint.load() is None


@pytest.mark.parametrize("age", [-10.0, passes.MAX_CHECKPOINT_SECONDS + 10])
def test_a_pass_of_another_day_is_not_continued(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, age: float
) -> None:
    checkpoint.save(STOPPED)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + age)
    assert checkpoint.load() is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"savedAt": 1, "progress": 5}', "tags", "more"])
def test_a_damaged_file_starts_the_pass_over(checkpoint: Checkpoint, tmp_path: Path, content: str) -> None:
    checkpoint.save(STOPPED)
    (path,) = (tmp_path / "state").iterdir()
    stored = json.loads(path.read_text())
    if content == "tags":
        stored["progress"]["tags"] = "2"
    if content == "more":
        stored["progress"]["more"] = 1
    path.write_text(json.dumps(stored) if content in ("tags", "more") else content)
    assert checkpoint.load() is None


def test_a_folder_that_cannot_be_written_to_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "_SAVE_SECONDS", 0.0)
    (tmp_path / "file").touch()
    checkpoint = Checkpoint(DEPLOYED, tmp_path / "file")
    checkpoint.save(STOPPED)
    assert checkpoint.load() is None


def test_the_remaining_time_follows_from_the_time_so_far() -> None:
    assert remaining(25, 100, 10.0) == 30.0
    assert remaining(100, 100, 10.0) == 0.0
    assert remaining(0, 100, 10.0) is None
    assert remaining(120, 100, 10.0) is None


def test_the_progress_shows_the_remaining_time_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, stream = Clock(), io.StringIO()
    monkeypatch.setattr(time, "monotonic", clock)
    meter = passes._Meter(Console(stream, terminal=False), "pass 1")
    for tags in range(0, 600, 100):
        meter.show(Progress(entries=1000, tags=tags, expected=1000))
        clock.now += 6
    meter.end(Progress(entries=1000, tags=1000, expected=1000))
    assert stream.getvalue().splitlines() == [
        "pass 1: 1,000 ledger entries, 200 tags, 0 visits of 0 tags missing, about 48 s left",
        "pass 1: 1,000 ledger entries, 400 tags, 0 visits of 0 tags missing, about 36 s left",
        "pass 1: 1,000 ledger entries, 1,000 tags, 0 visits of 0 tags missing",
    ]
