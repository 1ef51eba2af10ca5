"""Additional local clouds, for tests that cannot use the shared one, and an operator of the shared one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.operator import Operator
from tests.running import RunningCloud

Start = Callable[..., RunningCloud]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start additional local clouds, which end with the test."""
    started: list[RunningCloud] = []

    def start(*arguments: str, **environment: str) -> RunningCloud:
        started.append(RunningCloud(*arguments, environment=environment))
        return started[-1]

    yield start
    for one in started:
        one.kill()


@pytest.fixture
def operator(
    cloud: RunningCloud, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Operator:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    # Whatever earlier tests had discarded.
    cloud.client("sqs").purge_queue(QueueUrl=cloud.outputs["deadLetterQueueUrl"])
    return Operator(cloud, tmp_path, capsys)
