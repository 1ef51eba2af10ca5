"""The part of the engine that a program's messages go to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2

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
