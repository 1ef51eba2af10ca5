"""A kit for testing Pulumi programs that use the counter, without a cloud, an account or the Pulumi CLI."""

from .computed import Place
from .engine import Message
from .invokes import InvokeFailedError, UnknownInvokeError
from .monitor import DuplicateURNError, RecordingMonitor
from .program import ProgramProblemsError, Result, run
from .resource import Alias, Invoke, Resource
from .stack_config import StackConfig, StackConfigError
from .stack_config import load as load_stack_config
from .stream_events import StreamEvents
from .values import UNKNOWN, ResourceReference, Unknown

__all__ = [
    "UNKNOWN",
    "Alias",
    "DuplicateURNError",
    "Invoke",
    "InvokeFailedError",
    "Message",
    "Place",
    "ProgramProblemsError",
    "RecordingMonitor",
    "Resource",
    "ResourceReference",
    "Result",
    "StackConfig",
    "StackConfigError",
    "StreamEvents",
    "Unknown",
    "UnknownInvokeError",
    "load_stack_config",
    "run",
]
