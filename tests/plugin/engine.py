"""As much of the Pulumi engine as a provider plugin meets: it starts the plugin, and asks it for components."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, resource_pb2

from components.engine import values
from components.engine.answers import InvokeHandler
from components.engine.monitor import RecordingMonitor
from components.engine.resource import STACK_TYPE, Resource
from components.engine.server import Message, RecordingEngine, serve
from components.internals import ARCHIVE, ASSET, OUTPUT, SIGNATURE

COMPONENTS = Path(__file__).parents[2] / "components"
SECONDS = 60


def output(value: Any = values.UNKNOWN, *, secret: bool = False, dependencies: tuple[str, ...] = ()) -> dict[str, Any]:
    """Write an Output as the engine sends it, unknown unless a value is given."""
    written: dict[str, Any] = {SIGNATURE: OUTPUT}
    if value is not values.UNKNOWN:
        written["value"] = value
    return written | ({"secret": True} if secret else {}) | ({"dependencies": [*dependencies]} if dependencies else {})


def text_archive(files: Mapping[str, str]) -> dict[str, Any]:
    """Write an archive of text files as the engine sends it."""
    assets = {name: {SIGNATURE: ASSET, "text": text} for name, text in files.items()}
    return {SIGNATURE: ARCHIVE, "assets": assets}


@dataclass(frozen=True)
class Constructed:
    """The result of one construction: the answer to the program, and everything that the plugin registered."""

    urn: str
    state: Mapping[str, Any]
    secrets: frozenset[str]
    dependencies: Mapping[str, frozenset[str]]
    resources: list[Resource]
    messages: list[Message]

    def one(self, type_or_name: str) -> Resource:
        """Return the only resource of this type token or logical name."""
        (found,) = [resource for resource in self.resources if type_or_name in (resource.type, resource.name)]
        return found


class RefusedError(Exception):
    """The plugin refused to construct a component: what the engine would show to the user."""


class Plugin:
    """A running plugin, and the connection to it."""

    def __init__(self, channel: grpc.Channel, engine: RecordingEngine, errors: IO[str]) -> None:
        self._errors = errors
        self._provider = provider_pb2_grpc.ResourceProviderStub(channel)
        self._engine = engine

    @property
    def standard_error(self) -> str:
        """The plugin's output so far, which the engine would show to the user."""
        return read(self._errors)

    def version(self) -> str:
        """Ask for the plugin's version."""
        return str(self._provider.GetPluginInfo(empty_pb2.Empty(), timeout=SECONDS).version)

    def schema(self) -> dict[str, Any]:
        """Ask for the schema."""
        answer = self._provider.GetSchema(provider_pb2.GetSchemaRequest(version=0), timeout=SECONDS)
        schema: dict[str, Any] = json.loads(answer.schema)
        return schema

    def construct(
        self,
        component: str,
        inputs: Mapping[str, Any],
        *,
        name: str = "counter",
        preview: bool = False,
        invokes: Mapping[str, InvokeHandler] | None = None,
        **more: Any,
    ) -> Constructed:
        """Construct a component; `more` are fields of the request. Raises RefusedError with the plugin's words."""
        monitor = RecordingMonitor(preview=preview, invokes=invokes)
        stack = monitor.RegisterResource(resource_pb2.RegisterResourceRequest(type=STACK_TYPE, name="project-test"))
        seen = len(self._engine.messages)
        with serve(monitor, self._engine) as address:
            request = provider_pb2.ConstructRequest(
                project=monitor.project,
                stack=monitor.stack,
                dryRun=preview,
                parallel=16,
                monitorEndpoint=address,
                type=f"stream-triggered-counter:index:{component}",
                name=name,
                parent=stack.urn,
                inputs=values.encode(inputs),
                accepts_output_values=True,
                **more,
            )
            try:
                answer = self._provider.Construct(request, timeout=SECONDS)
            except grpc.RpcError as error:
                raise RefusedError(error.details()) from None
        decoded = values.decode(answer.state)
        return Constructed(
            urn=answer.urn,
            state=decoded.values,
            secrets=decoded.secrets,
            dependencies={key: frozenset(value.urns) for key, value in answer.stateDependencies.items()},
            resources=[resource for resource in monitor.resources if resource.type != STACK_TYPE],
            messages=self._engine.messages[seen:],
        )


@contextmanager
def start(folder: Path = COMPONENTS, *, cwd: Path, python: str = sys.executable) -> Iterator[Plugin]:
    """Start the plugin in `folder` as the engine would, in the consumer's working directory, and end it afterwards."""
    engine = RecordingEngine()
    with serve(RecordingMonitor(), engine) as address, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [python, str(folder), address], cwd=cwd, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        assert process.stdout
        try:
            port = process.stdout.readline().strip()
            assert port, f"the plugin ended before it served: {read(errors)}"
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield Plugin(channel, engine, errors)
        finally:
            process.kill()
            process.communicate()


def read(file: IO[str]) -> str:
    file.seek(0)
    return file.read()
