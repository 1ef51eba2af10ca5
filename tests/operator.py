"""An operator who calls commands on a running local cloud."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from tests.running import RunningCloud

Output = pytest.CaptureFixture[str]


class Operator:
    """Calls commands on the shared cloud, by a file of its outputs."""

    def __init__(self, cloud: RunningCloud, folder: Path, output: Output) -> None:
        self.cloud = cloud
        self._file = folder / "outputs.json"
        self._file.write_text(json.dumps(cloud.outputs), encoding="utf-8")
        self._output = output

    def call(self, *arguments: str, status: int = 0) -> str:
        """Call a command, hold its exit status, and return its standard output."""
        self._output.readouterr()
        assert main([arguments[0], "--outputs", str(self._file), *arguments[1:]]) == status, self._output.readouterr()
        self.errors: str
        out, self.errors = self._output.readouterr()
        return out

    def json(self, *arguments: str, status: int = 0) -> Any:
        """Call a command with --json and return what it printed, parsed."""
        return json.loads(self.call(*arguments, "--json", status=status))

    def found(self) -> list[dict[str, Any]]:
        """Return the messages that `failures` finds."""
        main(["failures", "--outputs", str(self._file), "--json"])
        messages: list[dict[str, Any]] = json.loads(self._output.readouterr().out)["messages"]
        return messages


@contextmanager
def stopped_stream(cloud: RunningCloud) -> Iterator[None]:
    """Disable the event source mapping meanwhile."""
    functions, uuid = cloud.client("lambda"), cloud.outputs["eventSourceMappingId"]
    functions.update_event_source_mapping(UUID=uuid, Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=uuid, Enabled=True)
