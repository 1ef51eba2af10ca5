"""A kit for testing Pulumi programs that use the counter, without a cloud, an account or the Pulumi CLI.

It runs a program on the engine of `stream_triggered_counter.engine`, whose names are for those who build more on it.
"""

from ..engine.monitor import RecordingMonitor
from ..engine.resource import Resource
from ..engine.stack_config import load as load_stack_config
from ..engine.values import UNKNOWN
from .program import ProgramProblemsError, Result, run
from .stream_events import StreamEvents

__all__ = [
    "UNKNOWN",
    "ProgramProblemsError",
    "RecordingMonitor",
    "Resource",
    "Result",
    "StreamEvents",
    "load_stack_config",
    "run",
]
