"""The progress that a stopped `reconcile` leaves, its pace, and the time that remains."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies

from cli.commands import reconcile
from cli.console import Console
from cli.operate import checkpoint as checkpoints
from cli.operate.checkpoint import Checkpoint
from cli.operate.rebuild import Pace, Progress

STOPPED = Progress("mark", tags=2, visits=5, after="tag ä", marked=3)


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    monkeypatch.setattr(checkpoints, "_SAVE_SECONDS", 0.0)
    return Checkpoint("place", tmp_path / "state")


def test_checkpoint_found_until_cleared(checkpoint: Checkpoint, tmp_path: Path) -> None:
    assert checkpoint.load() is None
    checkpoint.save(STOPPED)
    assert Checkpoint("place", tmp_path / "state").load() == STOPPED
    assert Checkpoint("another", tmp_path / "state").load() is None
    checkpoint.clear()
    assert checkpoint.load() is None


@pytest.mark.parametrize("age", [-10.0, checkpoints.MAX_SECONDS + 10])
def test_checkpoint_of_another_day(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, age: float) -> None:
    checkpoint.save(STOPPED)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + age)
    assert checkpoint.load() is None


DAMAGES: list[Callable[[Any], Any]] = [
    lambda _: "",
    lambda _: [],
    lambda _: {"savedAt": 1, "progress": 5},
    lambda stored: {**stored, "progress": stored["progress"] | {"tags": "2"}},
    lambda stored: {**stored, "progress": stored["progress"] | {"more": 1}},
]


@pytest.mark.parametrize("change", DAMAGES)
def test_checkpoint_damaged(checkpoint: Checkpoint, tmp_path: Path, change: Callable[[Any], Any]) -> None:
    checkpoint.save(STOPPED)
    (path,) = (tmp_path / "state").iterdir()
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    assert checkpoint.load() is None


def test_checkpoint_unwritable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "_SAVE_SECONDS", 0.0)
    (tmp_path / "file").touch()
    checkpoint = Checkpoint("place", tmp_path / "file")
    checkpoint.save(STOPPED)
    assert checkpoint.load() is None


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
def test_pace_within_the_rate(writes: list[tuple[int, float]], rate: int) -> None:
    clock = Clock()
    pace = Pace(rate, clock, clock.sleep)
    written = 0
    for count, work in writes:
        pace(count)
        # Unused time does not accumulate, so no burst follows a pause.
        assert clock.now * rate >= written * 0.999999
        written += count
        clock.now += work


def test_meter_shows_the_remaining_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, stream = Clock(), io.StringIO()
    monkeypatch.setattr(time, "monotonic", clock)
    meter = reconcile._Meter(Console(stream, terminal=False), 0, 1000)
    for tags in range(0, 600, 100):
        meter.show(Progress("", tags=tags, visits=tags))
        clock.now += 6
    assert stream.getvalue().splitlines() == [
        "Marking: 200 tags, 200 visits, about 48 s left",
        "Marking: 400 tags, 400 visits, about 36 s left",
    ]
