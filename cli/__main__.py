"""Run as `python <this folder>`: the commands of `./counter`."""

import sys
from pathlib import Path

# Python's entry for this folder becomes the project's: from there every package is found under its own name.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from cli.main import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
