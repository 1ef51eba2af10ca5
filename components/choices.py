"""The enums of the arguments: each names a setting of AWS with the values that AWS gives it."""

from enum import StrEnum


class BillingMode(StrEnum):
    """How reads and writes of the tables are billed."""

    PAY_PER_REQUEST = "PAY_PER_REQUEST"
    """On demand: pay for each request, nothing to plan."""
    PROVISIONED = "PROVISIONED"
    """A fixed number of capacity units per second, paid for by the hour; requests over it are throttled."""


class StreamViewType(StrEnum):
    """What a stream record holds of the item that changed: at least the new image, since the total needs it."""

    NEW_AND_OLD_IMAGES = "NEW_AND_OLD_IMAGES"
    """The item as it was and as it is."""
    NEW_IMAGE = "NEW_IMAGE"
    """The item as it is after the change."""


class StartingPosition(StrEnum):
    """Where in the stream a new event source mapping begins to read."""

    TRIM_HORIZON = "TRIM_HORIZON"
    """At the oldest record that the stream still has (up to 24 hours back)."""
    LATEST = "LATEST"
    """At the first record after the mapping is ready. Visits until then reach the total with the tag's next visit."""


class Architecture(StrEnum):
    """The instruction set that the functions run on."""

    ARM64 = "arm64"
    """AWS Graviton; a fifth cheaper per millisecond than x86_64."""
    X86_64 = "x86_64"
    """64-bit x86."""


class Runtime(StrEnum):
    """The Lambda runtime of the functions."""

    PYTHON3_11 = "python3.11"
    """Python 3.11."""
    PYTHON3_12 = "python3.12"
    """Python 3.12."""
    PYTHON3_13 = "python3.13"
    """Python 3.13."""
    PYTHON3_14 = "python3.14"
    """Python 3.14."""


class LogLevel(StrEnum):
    """The least severe application log lines that are kept."""

    TRACE = "TRACE"
    """Everything."""
    DEBUG = "DEBUG"
    """Details for finding a fault."""
    INFO = "INFO"
    """One line for each batch of the stream, and everything more severe."""
    WARN = "WARN"
    """Only what should not have happened."""
    ERROR = "ERROR"
    """Only what failed."""
    FATAL = "FATAL"
    """Only what ended the process."""
