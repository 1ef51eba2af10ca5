"""The Pulumi CLI, with stand-ins for the AWS provider and the language hosts, and one emulator behind them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.emulator.process import Emulator
from local.monitor import CloudMonitor
from local.site import Clients, Site
from tests.running import ROOT

from . import language, provider
from .cloud import Cloud
from .language import Language
from .provider import Provider
from .stack import REGION, Stack

LANGUAGES = ("python", "nodejs", "go")
HINT = (
    "the Pulumi CLI is not on PATH; install it (https://www.pulumi.com/docs/install/), or build it with Go: "
    'PATH="$(.venv/bin/python tests/pulumi/build.py):$PATH" ./counter test tests/pulumi'
)


@pytest.fixture(scope="session")
def cli() -> str:
    """Find the CLI, or skip the test."""
    return shutil.which("pulumi") or pytest.skip(HINT)


@dataclass
class Engine:
    """The stand-ins that the CLI is attached to, and what makes stacks on them."""

    provider: Provider
    cloud: Cloud
    monitor: CloudMonitor
    python: Language
    environment: dict[str, str]
    new_folder: Callable[[], Path]

    def stack(self, project: dict[str, Any] | None = None, program: Path = ROOT, **options: Any) -> Stack:
        """Make an empty stack of this project, or of another, with `Stack`'s options."""
        self.serve(program)
        self.provider.calls.clear()
        self.provider.before = lambda _operation, _urn: None
        if project is None:
            project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
        return Stack(self.new_folder(), project, self.environment, **options)

    def serve(self, program: Path) -> None:
        """Run this program from now on, and look for its relative files where it is."""
        self.python.program = program
        directory = program if program.is_dir() else program.parent
        self.cloud.site = self.monitor.site = replace(self.cloud.site, directory=directory)

    def create_table(self, name: str) -> dict[str, Any]:
        """Make a table that no stack owns, with a stream that a counter can read."""
        table: dict[str, Any] = self.client("dynamodb").create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": "ID", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "ID", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )["TableDescription"]
        return table

    def client(self, service: str) -> Any:
        """Return a client of the emulator."""
        return self.cloud.site.client(service)


@pytest.fixture(scope="module")
def engine(cli: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Start the emulator, the provider and the language hosts that the CLI came without."""
    emulator = Emulator(port=0, region=REGION, on_event=lambda _: None)
    with ExitStack() as stack:
        stack.callback(emulator.stop)
        emulator.wait(60)
        site = Site(Clients(emulator.origin), REGION, emulator.origin, ROOT)
        cloud = Cloud(site)
        monitor = CloudMonitor(site, project="project", stack="test", ready=lambda: None)
        aws = Provider(monitor, cloud)
        port = stack.enter_context(provider.serve(aws))
        hosts = [Language(name, shutil.which("sdkgen")) for name in LANGUAGES]
        ports = stack.enter_context(language.serve(*hosts))
        # Python programs always run in this environment; the others' hosts are needed for generating SDKs only.
        missing = [
            f"{name}:{at}"
            for name, at in zip(LANGUAGES, ports, strict=True)
            if name == "python" or shutil.which(f"pulumi-language-{name}") is None
        ]
        environment = {
            "PULUMI_DEBUG_PROVIDERS": f"aws:{port}",
            "PULUMI_DEBUG_LANGUAGES": ",".join(missing),
        }
        yield Engine(aws, cloud, monitor, hosts[0], environment, lambda: tmp_path_factory.mktemp("pulumi"))
