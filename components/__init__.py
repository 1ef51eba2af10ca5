"""`StreamTriggeredCounter`, a Pulumi component that counts visits per tag and keeps an exact total."""

from . import args
from .args import *  # noqa: F403 - args.py lists what it offers, and is generated
from .checks import ArgumentError
from .stream_consumer import StreamConsumer
from .stream_triggered_counter import StreamTriggeredCounter
from .version import VERSION

__version__ = VERSION

__all__ = ["ArgumentError", "StreamConsumer", "StreamTriggeredCounter"]
__all__ += args.__all__
