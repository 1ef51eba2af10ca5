"""Everything that the package offers, by the name that programs import it under."""

from . import args
from .args import *  # noqa: F403 - args.py lists what it offers, and is generated
from .checks import ArgumentError
from .stream_consumer import StreamConsumer
from .stream_triggered_counter import StreamTriggeredCounter

__all__ = ["ArgumentError", "StreamConsumer", "StreamTriggeredCounter"]
__all__ += args.__all__
