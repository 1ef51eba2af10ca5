"""`StreamTriggeredCounter`, a Pulumi component that counts visits per tag and keeps an exact total."""

from .args import (
    ApiArgs,
    ExistingTableArgs,
    FunctionArgs,
    StatementArgs,
    StreamArgs,
    StreamConsumerArgs,
    StreamTriggeredCounterArgs,
    TableArgs,
)
from .choices import Architecture, BillingMode, LogLevel, Runtime, StartingPosition, StreamViewType
from .stream_consumer import StreamConsumer
from .stream_triggered_counter import StreamTriggeredCounter
from .validation import ArgumentError
from .version import VERSION

__version__ = VERSION

__all__ = [
    "ApiArgs",
    "Architecture",
    "ArgumentError",
    "BillingMode",
    "ExistingTableArgs",
    "FunctionArgs",
    "LogLevel",
    "Runtime",
    "StartingPosition",
    "StatementArgs",
    "StreamArgs",
    "StreamConsumer",
    "StreamConsumerArgs",
    "StreamTriggeredCounter",
    "StreamTriggeredCounterArgs",
    "StreamViewType",
    "TableArgs",
]
