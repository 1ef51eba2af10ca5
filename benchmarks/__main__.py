"""Run as `python -m benchmarks`: the same as `./counter benchmark`, which prepares the environment first."""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    command = str(Path(__file__).resolve().parents[1] / "counter")
    os.execv(command, [command, "benchmark", *sys.argv[1:]])  # noqa: S606
