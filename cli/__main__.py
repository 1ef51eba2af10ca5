"""Run as `python <this folder>`: the commands of `./counter`. The installed package has `installed.py` instead."""

import signal

# Importing a command takes a while, and until it has begun there is nothing to end in order.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

import sys  # noqa: E402
from pathlib import Path  # noqa: E402

# Python's entry for this folder becomes the project's: from there every package is found under its own name.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from cli.main import run  # noqa: E402

if __name__ == "__main__":
    sys.exit(run())
