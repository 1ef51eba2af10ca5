"""One emulator for the tests of the local cloud, which make resources of their own names on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.testing import Result, run
from local.emulator.process import Emulator, Event
from local.monitor import CloudMonitor
from local.site import Clients, Site

REGION = "eu-west-1"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ],
    }
)
POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]}
)
CODE = pulumi.AssetArchive({"main.py": pulumi.StringAsset("def handler(event, context):\n    return event\n")})


class Cloud:
    """An emulator, the events that it reported, and a way to run programs on it in this process."""

    def __init__(self, directory: Path) -> None:
        self.events: list[Event] = []
        self.emulator = Emulator(port=0, region=REGION, on_event=self.events.append)
        self.site = Site(Clients(self.emulator.origin), REGION, self.emulator.origin, directory)

    def deploy(self, program: Callable[[], object], on_note: Callable[[str], None] | None = None) -> Result:
        monitor = CloudMonitor(
            self.site, project="project", stack="test", ready=lambda: self.emulator.wait(30), on_note=on_note
        )
        return run(program, monitor=monitor)

    def client(self, service: str) -> Any:
        return self.site.client(service)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Start the emulator once."""
    cloud = Cloud(tmp_path_factory.mktemp("program"))
    yield cloud
    cloud.emulator.stop()
