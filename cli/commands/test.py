"""`./counter test`: the whole suite, or what pytest's arguments choose."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

# As many processes as there are cores; the tests of one file stay together, since many share what they set up.
_PARALLEL = ("--numprocesses", "auto", "--dist", "loadfile")
SUMMARY = "run the tests; takes pytest's arguments"
VERBATIM = True
_ROOT = Path(__file__).resolve().parents[2]


def run(arguments: argparse.Namespace) -> int:
    """Hand over to pytest, which reports its progress itself; `-n 0` keeps it in one process."""
    os.chdir(_ROOT)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *_PARALLEL, *arguments.rest])  # noqa: S606
