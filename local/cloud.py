"""One run of the local cloud, from the stack's configuration to its outputs."""

from __future__ import annotations

import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.console import Console
from cli.deployment import write_local
from components.engine.monitor import RecordingMonitor
from components.engine.resource import Resource
from components.engine.server import Message, RecordingEngine
from components.engine.stack_config import StackConfig, StackConfigError, load

from .emulator.gateway import USER_AGENT, api_address
from .emulator.process import Emulator, Event, PortInUseError
from .environment import clean, with_credentials
from .failures import Failures
from .monitor import CloudMonitor
from .program import ProgramError, ProgramRun
from .site import Clients, Site

DEFAULT_PORT = 4566
_READY_SECONDS = 60.0
_ANSWER_SECONDS = 10.0
# The first client of a service takes a while to create, so these are created while the program is being imported.
_SERVICES = ("dynamodb", "iam", "lambda", "logs", "sqs", "apigatewayv2")


class ApiError(Exception):
    """The program was deployed, but its API does not respond or fails."""


@dataclass(frozen=True)
class Options:
    """What to run: a project's folder, a stack, a Python, and a port (None: 4566, or a free one if that is taken)."""

    directory: Path
    stack: str
    python: str
    port: int | None


class LocalCloud:
    """The emulator with one program's resources on it. `start` makes them, `stop` ends everything."""

    def __init__(self, options: Options, console: Console) -> None:
        """Read the configuration and take the port.

        Raises StackConfigError for a configuration that cannot be used, PortInUseError if the port is taken.
        """
        self.config: StackConfig = load(options.directory, options.stack)
        for path in (self.config.main, Path(__file__)):
            _check_encoding(path)
        region = self.config.values.get("aws:region")
        if not region:
            file = self.config.file
            raise StackConfigError(f"{file}: aws:region has no value; the resources need a region to be in")
        self._console = console
        self._listeners: list[Callable[[Event], None]] = []
        self._emulator = _start_emulator(options.port, region, self._on_event, console)
        clients = Clients(self._emulator.origin)
        self.site = Site(clients, region, self._emulator.origin, self.config.working_directory)
        self.monitor = CloudMonitor(
            self.site,
            project=self.config.project,
            stack=self.config.stack,
            ready=self._wait,
            on_created=self._on_created,
            on_note=console.line,
        )
        self._python = options.python
        self._run: ProgramRun | None = None

    def start(self) -> Mapping[str, Any]:
        """Run the program, wait until its API responds, and return the stack's outputs and the emulator's endpoint.

        Raises ProgramError, ResourceError, EmulatorError or ApiError if that fails.
        """
        threading.Thread(target=self._warm_up, daemon=True).start()
        self._console.progress(f"Running {self.config.project} as stack {self.config.stack}")
        self._run = self.prepare_run()
        self._run.run(self.monitor, RecordingEngine(self._on_message))
        if self.monitor.problems:
            raise ProgramError("\n".join(self.monitor.problems))
        outputs = {**self._local_outputs(), "endpointUrl": self.site.origin}
        if "apiEndpoint" in outputs:
            self._console.progress("Waiting for the API")
            self._await_api(f"{outputs['apiEndpoint']}/")
        # `--local` finds this cloud by them.
        write_local(self._emulator.directory, outputs)
        self._console.end_progress()
        return outputs

    def prepare_run(self) -> ProgramRun:
        """Return a run of the program on this cloud."""
        environment = with_credentials(
            clean(os.environ, keep_python=True), endpoint=self.site.origin, region=self.site.region
        )
        return ProgramRun(self.config, python=self._python, environment=environment)

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call the listener, from another thread, with each event from now on."""
        self._listeners.append(listener)

    @property
    def functions(self) -> list[Resource]:
        """The functions that the program created."""
        return functions_of(self.monitor)

    @property
    def failures(self) -> Failures:
        """The failures in the functions' logs."""
        return Failures(self.site, self.functions)

    def check(self) -> None:
        """Raise EmulatorError if the emulator is no longer running."""
        self._emulator.check()

    def stop(self) -> None:
        """End the program and the emulator, and remove their files. Idempotent."""
        if self._run:
            self._run.stop()
        self._emulator.stop()

    def _local_outputs(self) -> dict[str, Any]:
        """Return the stack's outputs, with the address here in place of a custom domain's.

        No name server knows the domain as this machine's: its address would lead to the real API, if there is one.
        """
        addresses = {
            f"https://{mapping.inputs['domainName']}": api_address(self.site.origin, int(mapping.inputs["apiId"], 16))
            for mapping in self.monitor.resources
            if mapping.type == "aws:apigatewayv2/apiMapping:ApiMapping" and not mapping.inputs.get("apiMappingKey")
        }
        for domain, address in addresses.items():
            host = domain.removeprefix("https://")
            self._console.line(f"Note: {domain} is {address} here, or {self.site.origin} with the header Host: {host}")
        outputs = self.monitor.outputs.items()
        return {name: addresses.get(value, value) if isinstance(value, str) else value for name, value in outputs}

    def _await_api(self, url: str) -> None:
        try:
            wait_for_answer(url, _ANSWER_SECONDS)
        except ApiError as error:
            raise ApiError("\n".join([str(error), *self.failures.take()])) from None

    def _wait(self) -> None:
        self._emulator.wait(_READY_SECONDS)

    def _warm_up(self) -> None:
        for service in _SERVICES:
            self.site.client(service)

    def _on_event(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)

    def _on_created(self, resource: Resource, seconds: float) -> None:
        count = sum(1 for one in self.monitor.resources if one.id)
        self._console.progress("Creating resources", detail=f"{count}  {resource} in {seconds:.1f} s")

    def _on_message(self, message: Message) -> None:
        if message.severity in ("info", "warning"):
            self._console.line(f"{message.severity}: {message.text}")


def functions_of(monitor: RecordingMonitor) -> list[Resource]:
    """Return the functions that a run registered."""
    return [resource for resource in monitor.resources if resource.type == "aws:lambda/function:Function"]


def _check_encoding(path: Path) -> None:
    """Raise StackConfigError if Pulumi's SDK, which sends paths as UTF-8, cannot send the path."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        shown = str(path).encode(errors="backslashreplace").decode()
        raise StackConfigError(f"{shown} is not a UTF-8 path, which Pulumi requires; rename the folder") from None


def _start_emulator(port: int | None, region: str, on_event: Callable[[Event], None], console: Console) -> Emulator:
    if port is not None:
        return Emulator(port=port, region=region, on_event=on_event)
    try:
        return Emulator(port=DEFAULT_PORT, region=region, on_event=on_event)
    except PortInUseError:
        emulator = Emulator(port=0, region=region, on_event=on_event)
        console.line(f"Port {DEFAULT_PORT} is in use; taking {emulator.port} (--port chooses one)")
        return emulator


def wait_for_answer(url: str, seconds: float) -> None:
    """Wait until an API responds with a status below 500. Raises ApiError if it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    request = urllib.request.Request(url, headers={"User-Agent": USER_AGENT, "Accept": "application/json"})  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            with opener.open(request, timeout=30):
                return
        except urllib.error.HTTPError as error:
            if error.code < 500:
                return
            reason = f"status {error.code}, {error.read(500).decode(errors='replace')}"
        except OSError as error:
            reason = str(error)
        if time.monotonic() > deadline:
            raise ApiError(f"{url} does not respond: {reason}")
        time.sleep(0.2)
