"""A monitor and an engine behind a real gRPC port, for programs that run in a process of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import engine_pb2_grpc, resource_pb2_grpc

from .engine import RecordingEngine
from .monitor import RecordingMonitor

# A registration holds its thread until the resource exists, and programs register many at a time.
_THREADS = 32


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
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=_GRPC_CHANNEL_OPTIONS)
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
