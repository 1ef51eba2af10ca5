"""`StreamTriggeredCounter`, a Pulumi component that counts visits per tag and keeps an exact total, and its parts."""

from .args import (
    ApiArgs,
    ExistingTableArgs,
    FunctionArgs,
    StatementArgs,
    StreamArgs,
    StreamTriggeredCounterArgs,
    TableArgs,
)
from .choices import Architecture, BillingMode, LogLevel, Runtime, StartingPosition, StreamViewType
from .function_with_role import FunctionWithRole, FunctionWithRoleArgs
from .http_api import HttpApi, HttpApiArgs, RouteArgs
from .stream_consumer import StreamConsumer, StreamConsumerArgs
from .stream_table import StreamTable, StreamTableArgs
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
    "FunctionWithRole",
    "FunctionWithRoleArgs",
    "HttpApi",
    "HttpApiArgs",
    "LogLevel",
    "RouteArgs",
    "Runtime",
    "StartingPosition",
    "StatementArgs",
    "StreamArgs",
    "StreamConsumer",
    "StreamConsumerArgs",
    "StreamTable",
    "StreamTableArgs",
    "StreamTriggeredCounter",
    "StreamTriggeredCounterArgs",
    "StreamViewType",
    "TableArgs",
]
