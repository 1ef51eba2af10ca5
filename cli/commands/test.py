"""`./counter test`: the whole suite, or what pytest's arguments choose."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

SUMMARY = "run the tests; takes pytest's arguments"
VERBATIM = True
_ROOT = Path(__file__).resolve().parents[2]


def run(arguments: argparse.Namespace) -> int:
    """Hand over to pytest, which reports its progress itself."""
    os.chdir(_ROOT)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments.rest])  # noqa: S606
