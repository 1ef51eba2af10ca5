"""The engine that a program logs to, and a gRPC port for programs that run in a process of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2_grpc

from .monitor import RecordingMonitor

# A registration holds its thread until the resource exists, and programs register many at a time.
_THREADS = 32
# As the SDK's own servers have them: an archive of text travels inside a message, and a call may wait for others.
_OPTIONS = [
    ("grpc.max_receive_message_length", 400 * 1024 * 1024),
    ("grpc.server_max_unrequested_time_in_server", 30 * 60),
]
_SEVERITIES = {
    engine_pb2.DEBUG: "debug",
    engine_pb2.INFO: "info",
    engine_pb2.WARNING: "warning",
    engine_pb2.ERROR: "error",
}


@dataclass(frozen=True)
class Message:
    """A message that the program logged: severity `debug`, `info`, `warning` or `error`."""

    severity: str
    text: str
    urn: str = ""


class RecordingEngine:
    """Keeps the messages of one run; `on_message` sees each as it comes."""

    def __init__(self, on_message: Callable[[Message], None] | None = None) -> None:
        self.messages: list[Message] = []
        self._on_message = on_message

    def Log(self, request: engine_pb2.LogRequest) -> empty_pb2.Empty:  # noqa: N802
        """Record a message."""
        message = Message(_SEVERITIES[request.severity], request.message, request.urn)
        self.messages.append(message)
        if self._on_message:
            self._on_message(message)
        return empty_pb2.Empty()

    def RequirePulumiVersion(self, _request: object) -> engine_pb2.RequirePulumiVersionResponse:  # noqa: N802
        """Accept any requirement: there is no CLI whose version could be wrong."""
        return engine_pb2.RequirePulumiVersionResponse()


@contextmanager
def serve(
    monitor: RecordingMonitor,
    engine: RecordingEngine,
    *,
    on_error: Callable[[Exception], None] | None = None,
) -> Iterator[str]:
    """Serve both on a free loopback port, whose address is given, until the block ends.

    An exception in the monitor fails the program's call with its text; `on_error` gets the exception itself.
    """
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=_OPTIONS)
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(
        _forward(resource_pb2_grpc.ResourceMonitorServicer(), monitor, on_error), server
    )
    engine_pb2_grpc.add_EngineServicer_to_server(_forward(engine_pb2_grpc.EngineServicer(), engine, on_error), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(grace=None).wait()


def _forward(servicer: Any, target: object, on_error: Callable[[Exception], None] | None) -> Any:
    for name in dir(servicer):
        if not name.startswith("_") and hasattr(target, name):
            setattr(servicer, name, _call(getattr(target, name), on_error))
    return servicer


def _call(
    method: Callable[[Any], Any], on_error: Callable[[Exception], None] | None
) -> Callable[[Any, grpc.ServicerContext], Any]:
    def call(request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the program must hear of it
            if on_error:
                on_error(error)
            return context.abort(grpc.StatusCode.UNKNOWN, f"{type(error).__name__}: {error}")

    return call
