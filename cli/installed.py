"""The console script `counter` of the installed package."""

from __future__ import annotations

import signal
import sys
from importlib.util import find_spec

_NEEDED = ("boto3", "click", "rich")


def main() -> int:
    """Run the command line and return the exit status; 1 with a sentence if the extra `cli` is not installed."""
    # Importing a command takes a while, and until it has begun there is nothing to end in order.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        packages = f"the package{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
        sys.stderr.write(f"counter: {packages} must be installed: pip install 'stream-triggered-counter[cli]'\n")
        return 1
    from .main import run  # noqa: PLC0415 - needs the packages

    return run()
